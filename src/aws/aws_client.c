// SPDX-License-Identifier: MIT
#include "aws/aws_client.h"

void aws_client_mend(struct aws_client *client, enum aws_verdict verdict, int64_t server_wall_ms) {
    if (verdict == AWS_CREDENTIALS) {
        credentials_renew(client->credentials);
    } else if (verdict == AWS_CLOCK_SKEW && server_wall_ms > 0) {
        client->clock_offset_ms = server_wall_ms - clock_wall_ms(client->clock);
    }
}
