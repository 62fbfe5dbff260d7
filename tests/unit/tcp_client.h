// SPDX-License-Identifier: MIT
/* The other end of a connection to a server under test, at the level of bytes. A read that gets
 * nothing for half a minute ends the test program: it would never come. */
#pragma once

#include "base/buf.h"

#include <stdbool.h>
#include <stdint.h>

/* A connection to the loopback. */
int tcp_connect(uint16_t port);

/* False when the other side has closed. */
bool tcp_client_send(int connection, struct span bytes);

/* The status of the next answer, whose body is skipped; 0 when the connection ended instead. The
 * head is left in *head when that is not NULL. */
int tcp_client_status(int connection, struct buf *head);

/* True when nothing more comes: the other side has closed or reset. */
bool tcp_client_is_closed(int connection);
