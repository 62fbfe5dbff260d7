// SPDX-License-Identifier: MIT
/* What shipping logs costs at least: the work that no program with these libraries is spared, on
 * the very bytes that the extension read and sent, and nothing else.
 *
 *   floor LOGS RECORDS json|cbor none|gzip REPEATS
 *
 * LOGS are bodies of the platform, RECORDS what kinesis_server sampled. Prints, as JSON, the CPU
 * time of each part in nanoseconds for all of LOGS, the mean of REPEATS rounds:
 *   split     memchr over LOGS for the end of each event, to read every byte once
 *   gzip      libdeflate on each record
 *   base64    OpenSSL's, of each record into the request's body
 *   sha256    of that body, for the signature
 *   aes       AES-256-GCM of that body in TLS records of 16 KiB
 *   sockets   not part of the floor, shown beside it: read() of LOGS and write() of the bodies */
#include "base/buf.h"

#include <arpa/inet.h>
#include <libdeflate.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    REQUEST_BYTES = 910 * 1024, /* about what the extension's have with the default settings */
    TLS_RECORD_BYTES = 16 * 1024,
    TLS_TAG_BYTES = 16,
    TLS_NONCE_BYTES = 12,
    TLS_KEY_BYTES = 32,
    GZIP_LEVEL = 1, /* the one that the extension uses */
    READ_BYTES = 64 * 1024,
    WOKEN_FOR_BYTES = 256 * 1024, /* as kinesis_server */
};

enum part { SPLIT, GZIP, BASE64, SHA256, AES, SOCKETS, PARTS };
static const char *const part_names[PARTS] = {"split",  "gzip", "base64",
                                              "sha256", "aes",  "sockets"};

struct floor {
    struct buf logs;
    struct buf records; /* each after its length in 4 bytes */
    bool base64, gzip;
    struct libdeflate_compressor *compressor;
    EVP_CIPHER_CTX *cipher;
    struct buf packed, body, sealed;
    uint64_t wire_bytes;
    int64_t spent_ns[PARTS];
};

static _Noreturn void fail(const char *what) {
    perror(what);
    exit(EXIT_FAILURE);
}

static int64_t thread_ns(void) {
    struct timespec now;
    (void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static void spend(struct floor *floor, enum part part, int64_t since) {
    floor->spent_ns[part] += thread_ns() - since;
}

/* --- the parts --- */

static size_t split(struct span rest) {
    size_t events = 0;
    const char *end;
    while (rest.len > 0 && (end = memchr(rest.ptr, '}', rest.len)) != NULL) {
        rest = span_skip(rest, (size_t)(end - rest.ptr) + 1);
        events++;
    }
    return events;
}

static struct span compress(struct floor *floor, struct span record) {
    buf_clear(&floor->packed);
    size_t bound = libdeflate_gzip_compress_bound(floor->compressor, record.len);
    char *space = buf_reserve(&floor->packed, bound);
    if (space == NULL) {
        fail("gzip");
    }
    buf_commit(&floor->packed,
               libdeflate_gzip_compress(floor->compressor, record.ptr, record.len, space, bound));
    return buf_span(&floor->packed);
}

static void encode(struct floor *floor, struct span record) {
    char *space = buf_reserve(&floor->body, record.len / 3 * 4 + 5);
    if (space == NULL) {
        fail("base64");
    }
    buf_commit(&floor->body,
               (size_t)EVP_EncodeBlock((unsigned char *)space, (const unsigned char *)record.ptr,
                                       (int)record.len));
}

static void hash(struct span body) {
    unsigned char digest[EVP_MAX_MD_SIZE];
    if (EVP_Digest(body.ptr, body.len, digest, NULL, EVP_sha256(), NULL) != 1) {
        fail("SHA-256");
    }
}

static void seal_record(struct floor *floor, struct span text) {
    static const unsigned char nonce[TLS_NONCE_BYTES];
    unsigned char *space = (unsigned char *)buf_reserve(&floor->sealed, text.len + TLS_TAG_BYTES);
    int length = 0;
    if (space == NULL || EVP_EncryptInit_ex(floor->cipher, NULL, NULL, NULL, nonce) != 1 ||
        EVP_EncryptUpdate(floor->cipher, space, &length, (const unsigned char *)text.ptr,
                          (int)text.len) != 1 ||
        EVP_EncryptFinal_ex(floor->cipher, space + length, &length) != 1 ||
        EVP_CIPHER_CTX_ctrl(floor->cipher, EVP_CTRL_AEAD_GET_TAG, TLS_TAG_BYTES,
                            space + text.len) != 1) {
        fail("AES-GCM");
    }
    buf_commit(&floor->sealed, text.len + TLS_TAG_BYTES);
}

static void seal(struct floor *floor, struct span body) {
    buf_clear(&floor->sealed);
    while (body.len > 0) {
        seal_record(floor, span_first(body, TLS_RECORD_BYTES));
        body = span_skip(body, TLS_RECORD_BYTES);
    }
}

/* --- one round --- */

static bool next_record(struct span *rest, struct span *ret) {
    uint32_t length = 0;
    if (rest->len < sizeof length) {
        return false;
    }
    memcpy(&length, rest->ptr, sizeof length);
    *ret = span_first(span_skip(*rest, sizeof length), length);
    *rest = span_skip(*rest, sizeof length + length);
    return true;
}

static void send_body(struct floor *floor) {
    int64_t since = thread_ns();
    hash(buf_span(&floor->body));
    spend(floor, SHA256, since);
    since = thread_ns();
    seal(floor, buf_span(&floor->body));
    spend(floor, AES, since);
    floor->wire_bytes += floor->sealed.len;
    buf_clear(&floor->body);
}

static void add_record(struct floor *floor, struct span record) {
    if (floor->gzip) {
        int64_t since = thread_ns();
        record = compress(floor, record);
        spend(floor, GZIP, since);
    }
    int64_t since = thread_ns();
    if (floor->base64) {
        encode(floor, record);
        spend(floor, BASE64, since);
    } else {
        buf_append(&floor->body, record);
    }
}

static void run_round(struct floor *floor) {
    floor->wire_bytes = 0;
    int64_t since = thread_ns();
    volatile size_t events = split(buf_span(&floor->logs));
    (void)events;
    spend(floor, SPLIT, since);
    struct span rest = buf_span(&floor->records);
    struct span record;
    while (next_record(&rest, &record)) {
        add_record(floor, record);
        if (floor->body.len > REQUEST_BYTES) {
            send_body(floor);
        }
    }
    if (floor->body.len > 0) {
        send_body(floor);
    }
}

/* --- sockets --- */

struct peer {
    int fd;
    struct span to_write; /* then reads to the end */
};

static void write_all(int fd, struct span bytes, size_t at_once) {
    while (bytes.len > 0) {
        ssize_t wrote = write(fd, bytes.ptr, span_first(bytes, at_once).len);
        if (wrote <= 0) {
            fail("write");
        }
        bytes = span_skip(bytes, (size_t)wrote);
    }
}

static void read_to_end(int fd) {
    static _Thread_local char bytes[READ_BYTES];
    while (read(fd, bytes, sizeof bytes) > 0) {
    }
}

static void *run_peer(void *context) {
    struct peer *peer = context;
    int many = WOKEN_FOR_BYTES;
    write_all(peer->fd, peer->to_write, SIZE_MAX);
    (void)shutdown(peer->fd, SHUT_WR);
    (void)setsockopt(peer->fd, SOL_SOCKET, SO_RCVLOWAT, &many, sizeof many);
    read_to_end(peer->fd);
    return NULL;
}

/* Both ends of a connection over the loopback. */
static void connect_pair(int ends[2]) {
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t size = sizeof address;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int listening = socket(AF_INET, SOCK_STREAM, 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    if (listening < 0 || ends[0] < 0 || bind(listening, (struct sockaddr *)&address, size) != 0 ||
        listen(listening, 1) != 0 ||
        getsockname(listening, (struct sockaddr *)&address, &size) != 0 ||
        connect(ends[0], (struct sockaddr *)&address, size) != 0 ||
        (ends[1] = accept(listening, NULL, NULL)) < 0) {
        fail("loopback");
    }
    (void)close(listening);
}

/* As much as went over the wire, in writes of one TLS record each, as libcurl does it. */
static void write_bodies(const struct floor *floor, int fd) {
    const struct span record = span_first(buf_span(&floor->logs), TLS_RECORD_BYTES + TLS_TAG_BYTES);
    for (uint64_t left = floor->wire_bytes; left > 0 && record.len > 0;) {
        struct span part = span_first(record, left);
        write_all(fd, part, part.len);
        left -= part.len;
    }
}

static void run_sockets(struct floor *floor) {
    int ends[2];
    pthread_t thread;
    connect_pair(ends);
    struct peer peer = {.fd = ends[1], .to_write = buf_span(&floor->logs)};
    if (pthread_create(&thread, NULL, run_peer, &peer) != 0) {
        fail("thread");
    }
    int64_t since = thread_ns();
    read_to_end(ends[0]);
    write_bodies(floor, ends[0]);
    spend(floor, SOCKETS, since);
    (void)close(ends[0]);
    (void)pthread_join(thread, NULL);
    (void)close(ends[1]);
}

/* --- main --- */

static void read_file(const char *path, struct buf *out) {
    FILE *file = fopen(path, "rb");
    size_t got = 0;
    char *space;
    *out = buf_with_ceiling(SIZE_MAX);
    while (file != NULL && (space = buf_reserve(out, READ_BYTES)) != NULL &&
           (got = fread(space, 1, READ_BYTES, file)) > 0) {
        buf_commit(out, got);
    }
    if (file == NULL || out->len == 0) {
        fail(path);
    }
    (void)fclose(file);
}

static void prepare(struct floor *floor, char **argv) {
    static const unsigned char key[TLS_KEY_BYTES];
    read_file(argv[1], &floor->logs);
    read_file(argv[2], &floor->records);
    floor->base64 = strcmp(argv[3], "json") == 0;
    floor->gzip = strcmp(argv[4], "gzip") == 0;
    floor->compressor = libdeflate_alloc_compressor(GZIP_LEVEL);
    floor->cipher = EVP_CIPHER_CTX_new();
    floor->packed = floor->body = floor->sealed = buf_with_ceiling(SIZE_MAX);
    if (floor->compressor == NULL || floor->cipher == NULL ||
        EVP_EncryptInit_ex(floor->cipher, EVP_aes_256_gcm(), NULL, key, NULL) != 1) {
        fail("floor");
    }
}

static void print_means(const struct floor *floor, int64_t rounds) {
    printf("{\"logs_bytes\":%zu,\"wire_bytes\":%llu", floor->logs.len,
           (unsigned long long)floor->wire_bytes);
    for (enum part part = 0; part < PARTS; part++) {
        printf(",\"%s\":%lld", part_names[part], (long long)(floor->spent_ns[part] / rounds));
    }
    printf("}\n");
}

int main(int argc, char **argv) {
    static struct floor floor;
    int64_t rounds = argc == 6 ? strtol(argv[5], NULL, 10) : 0;
    if (rounds <= 0) {
        (void)fprintf(stderr, "usage: floor LOGS RECORDS json|cbor none|gzip REPEATS\n");
        return EXIT_FAILURE;
    }
    prepare(&floor, argv);
    for (int64_t i = 0; i < rounds; i++) {
        run_round(&floor);
        run_sockets(&floor);
    }
    print_means(&floor, rounds);
    return EXIT_SUCCESS;
}
