// SPDX-License-Identifier: MIT
#include "app/tags.h"

static bool parse_tag(struct span text, struct tag *ret) {
    bool is_pair = text.len > 0 && memchr(text.ptr, '=', text.len) != NULL;
    ret->key = span_trim(span_cut(&text, '='));
    ret->value = span_trim(text);
    return is_pair && ret->key.len > 0;
}

static bool has_key(const struct tag *tags, size_t count, struct span key) {
    for (size_t i = 0; i < count; i++) {
        if (span_equals(tags[i].key, key)) {
            return true;
        }
    }
    return false;
}

bool tags_parse(struct span text, struct tag ret[TAGS_MAX], size_t *ret_count) {
    struct tag tags[TAGS_MAX];
    size_t count = 0;
    do {
        struct tag tag = {0};
        if (count == TAGS_MAX || !parse_tag(span_cut(&text, ','), &tag) ||
            has_key(tags, count, tag.key)) {
            return false;
        }
        tags[count++] = tag;
    } while (text.len > 0);
    memcpy(ret, tags, sizeof tags[0] * count);
    *ret_count = count;
    return true;
}
