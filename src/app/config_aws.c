// SPDX-License-Identifier: MIT
#include "app/config_aws.h"

#include "app/proxies.h"
#include "app/variables.h"
#include "destinations/kinesis.h"

/* A stream of another region is written to there. */
static struct span stream_region(const struct config *config) {
    return kinesis_is_stream_arn(config->stream) ? kinesis_arn_region(config->stream)
                                                 : config->region;
}

/* A service whose endpoint is looked for. */
struct service {
    const char *name;
    const char *title;
    const char *url_variable; /* goes before AWS_ENDPOINT_URL */
    struct span region;
    const char *region_variable;
};

/* The endpoint of the user's own choice, and the variable that it or the region comes from. */
static struct span custom_url(char *const *environment, const struct service *service,
                              const char **ret_name) {
    const char *const names[] = {service->url_variable, "AWS_ENDPOINT_URL"};
    bool ignored = variable_is_true(environment, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS");
    for (size_t i = 0; !ignored && i < sizeof names / sizeof names[0]; i++) {
        *ret_name = names[i];
        if (variable(environment, names[i]).len > 0) {
            return variable(environment, names[i]);
        }
    }
    *ret_name = service->region_variable;
    return (struct span){0};
}

/* Such a URL is not repeated to anybody. */
static bool may_hold_a_secret(struct span url) {
    return span_find(url, SPAN("@")) != NULL || span_find(url, SPAN("?")) != NULL;
}

static void read_endpoint(char *const *environment, const struct service *service,
                          struct endpoint *ret, struct config_report *report) {
    const char *name = NULL;
    const struct endpoint_options options = {
        .service = service->name,
        .region = service->region,
        .custom_url = custom_url(environment, service, &name),
        .use_fips = variable_is_true(environment, "AWS_USE_FIPS_ENDPOINT"),
        .use_dual_stack = variable_is_true(environment, "AWS_USE_DUALSTACK_ENDPOINT"),
    };
    struct error err = {0};
    if (may_hold_a_secret(options.custom_url)) {
        buf_append_format(&report->errors, "%s has user info or a query, which is not allowed\n",
                          name);
    } else if (!endpoint_resolve(&options, ret, &err)) {
        buf_append_format(&report->errors, "%s: no %s endpoint: %s\n", name, service->title,
                          err.message);
    }
}

static void read_endpoints(char *const *environment, struct config *ret,
                           struct config_report *report) {
    bool is_arn = kinesis_is_stream_arn(ret->stream);
    const struct service kinesis = {
        .name = "kinesis",
        .title = "Kinesis",
        .url_variable = "AWS_ENDPOINT_URL_KINESIS",
        .region = stream_region(ret),
        .region_variable = is_arn ? "AWS_KINESIS_STREAM_NAME" : "AWS_REGION",
    };
    const struct service sts = {
        .name = "sts",
        .title = "STS",
        .url_variable = "AWS_ENDPOINT_URL_STS",
        .region = ret->region,
        .region_variable = "AWS_REGION",
    };
    read_endpoint(environment, &kinesis, &ret->endpoint, report);
    CLEANUP(config_report_done) struct config_report unneeded = config_report_empty();
    bool is_needed = ret->credentials.role.arn.len > 0;
    read_endpoint(environment, &sts, &ret->sts, is_needed ? report : &unneeded);
    ret->credentials.role.endpoint = ret->sts;
}

static void read_credentials(char *const *environment, struct credentials_settings *ret,
                             struct config_report *report) {
    ret->environment = (struct credentials){
        .access_key_id = variable(environment, "AWS_ACCESS_KEY_ID"),
        .secret_access_key = variable(environment, "AWS_SECRET_ACCESS_KEY"),
        .session_token = variable(environment, "AWS_SESSION_TOKEN"),
    };
    ret->container = (struct container_settings){
        .full_uri = variable(environment, "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        .relative_uri = variable(environment, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"),
        .token = variable(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        .token_file = variable(environment, "AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    };
    if (ret->role.external_id.len > 0 && ret->role.arn.len == 0) {
        buf_append_format(&report->errors,
                          "EXTENSION_LOG_ROLE_EXTERNAL_ID needs EXTENSION_LOG_ROLE_ARN\n");
    }
    struct error err = {0};
    if (container_is_wanted(&ret->container) && !container_check(&ret->container, &err)) {
        buf_append_format(&report->errors, "AWS_CONTAINER_CREDENTIALS_%s_URI is not allowed: %s\n",
                          ret->container.relative_uri.len > 0 ? "RELATIVE" : "FULL", err.message);
    }
}

void config_read_aws(char *const *environment, struct config *ret, struct config_report *report) {
    ret->region = variable_or(environment, "AWS_REGION", "AWS_DEFAULT_REGION");
    read_credentials(environment, &ret->credentials, report);
    ret->ca_file = variable_or(environment, "AWS_CA_BUNDLE", "SSL_CERT_FILE");
    ret->proxies = proxies_read(environment, &report->errors);
    read_endpoints(environment, ret, report);
}
