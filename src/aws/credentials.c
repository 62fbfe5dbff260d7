// SPDX-License-Identifier: MIT
#include "aws/credentials.h"

void credentials_wait(struct credentials_waiter **list, struct credentials_waiter *waiter) {
    if (waiter->link != NULL) {
        return;
    }
    while (*list != NULL) {
        list = &(*list)->next;
    }
    waiter->next = NULL;
    waiter->link = list;
    *list = waiter;
}

void credentials_stop_waiting(struct credentials_waiter *waiter) {
    if (waiter->link == NULL) {
        return;
    }
    *waiter->link = waiter->next;
    if (waiter->next != NULL) {
        waiter->next->link = waiter->link;
    }
    waiter->next = NULL;
    waiter->link = NULL;
}

/* Who waits again does so in the emptied list, and is not woken twice. */
void credentials_wake_all(struct credentials_waiter **list) {
    struct credentials_waiter *now = *list;
    *list = NULL;
    if (now != NULL) {
        now->link = &now;
    }
    while (now != NULL) {
        struct credentials_waiter *first = now;
        credentials_stop_waiting(first);
        first->wake(first);
    }
}
