// SPDX-License-Identifier: MIT
#include "pipeline/segment_directory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { NAME_BYTES = 40, ID_DIGITS = 16, ID_BITS = 62 };

#define SEGMENT_SUFFIX ".segment"
#define UNFINISHED_SUFFIX ".unfinished"
#define SET_ASIDE_SUFFIX ".bad"

/* --- names --- */

static void name_file(char name[NAME_BYTES], uint64_t id, const char *suffix) {
    (void)snprintf(name, NAME_BYTES, "%0*" PRIx64 "%s", ID_DIGITS, id, suffix);
}

/* Numbers that leave no room above them are none of ours. */
static bool read_id(struct span name, uint64_t *ret) {
    if (name.len != ID_DIGITS + sizeof SEGMENT_SUFFIX - 1 ||
        !span_ends_with(name, SPAN(SEGMENT_SUFFIX))) {
        return false;
    }
    *ret = 0;
    for (size_t i = 0; i < ID_DIGITS; i++) {
        const char *digits = "0123456789abcdef";
        const char *digit = memchr(digits, name.ptr[i], 16);
        if (digit == NULL) {
            return false;
        }
        *ret = *ret << 4 | (uint64_t)(digit - digits);
    }
    return *ret >> ID_BITS == 0;
}

static void put_aside(const struct segment_directory *directory, const char *name) {
    char aside[NAME_BYTES + sizeof SET_ASIDE_SUFFIX];
    (void)snprintf(aside, sizeof aside, "%.*s%s", NAME_BYTES, name, SET_ASIDE_SUFFIX);
    (void)renameat(directory->descriptor, name, directory->descriptor, aside);
}

void segment_directory_set_aside(const struct segment_directory *directory, uint64_t id) {
    char name[NAME_BYTES];
    name_file(name, id, SEGMENT_SUFFIX);
    put_aside(directory, name);
}

/* --- opening --- */

static bool is_private(int descriptor) {
    struct stat status;
    return fstat(descriptor, &status) == 0 && status.st_uid == geteuid() &&
           (status.st_mode & 077) == 0;
}

static void close_descriptor(struct segment_directory *directory) {
    if (directory->descriptor >= 0) {
        (void)close(directory->descriptor);
    }
    directory->descriptor = -1;
}

/* `descriptor` may be one of a directory that was deleted. */
static bool open_path(struct segment_directory *directory, struct error *err) {
    close_descriptor(directory);
    if (mkdir(directory->path, 0700) != 0 && errno != EEXIST) {
        return error_set(err, ERR_UNAVAILABLE, "it cannot be made: %s", strerror(errno));
    }
    int descriptor = open(directory->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (descriptor < 0) {
        return error_set(err, ERR_UNAVAILABLE, "it cannot be opened: %s", strerror(errno));
    }
    directory->descriptor = descriptor;
    if (!is_private(descriptor)) {
        close_descriptor(directory);
        return error_set(err, ERR_UNAVAILABLE, "it belongs to or is open for somebody else");
    }
    if (flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
        close_descriptor(directory);
        return error_set(err, ERR_UNAVAILABLE, "another process uses it");
    }
    return true;
}

bool segment_directory_open(struct segment_directory *directory, const char *path,
                            struct error *err) {
    *directory = (struct segment_directory){.descriptor = -1, .path = strdup(path)};
    if (directory->path == NULL) {
        return error_set_memory(err, "a path");
    }
    if (!open_path(directory, err)) {
        segment_directory_close(directory);
        return false;
    }
    return true;
}

void segment_directory_close(struct segment_directory *directory) {
    close_descriptor(directory);
    free(directory->path);
    directory->path = NULL;
}

/* --- listing --- */

/* False for what is of no interest. */
static bool look_at(const struct segment_directory *directory, const char *name,
                    struct segment_file *ret) {
    struct stat status;
    struct span text = span_of_text(name);
    if (name[0] == '.' || fstatat(directory->descriptor, name, &status, AT_SYMLINK_NOFOLLOW) != 0) {
        return false;
    }
    *ret = (struct segment_file){.kind = SEGMENT_FILE_OTHER, .bytes = (uint64_t)status.st_size};
    if (S_ISREG(status.st_mode) && read_id(text, &ret->id)) {
        ret->kind = SEGMENT_FILE_WHOLE;
    } else if (span_ends_with(text, SPAN(SET_ASIDE_SUFFIX))) {
        ret->kind = SEGMENT_FILE_SET_ASIDE;
    } else if (span_ends_with(text, SPAN(UNFINISHED_SUFFIX))) {
        put_aside(directory, name);
    }
    return true;
}

static DIR *open_listing(const struct segment_directory *directory) {
    int copy = openat(directory->descriptor, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *listing = copy < 0 ? NULL : fdopendir(copy);
    if (listing == NULL && copy >= 0) {
        (void)close(copy);
    }
    return listing;
}

bool segment_directory_list(const struct segment_directory *directory,
                            bool (*on_file)(void *context, struct segment_file file), void *context,
                            struct error *err) {
    DIR *listing = open_listing(directory);
    if (listing == NULL) {
        return error_set(err, ERR_UNAVAILABLE, "its files cannot be listed: %s", strerror(errno));
    }
    bool good = true;
    struct segment_file file;
    for (struct dirent *found; good && (found = readdir(listing)) != NULL;) {
        good = !look_at(directory, found->d_name, &file) || on_file(context, file);
    }
    (void)closedir(listing);
    return good || error_set_memory(err, "the list of its files");
}

/* --- writing --- */

static bool write_all(int file, struct span bytes) {
    while (bytes.len > 0) {
        ssize_t written = write(file, bytes.ptr, bytes.len);
        if (written == 0 || (written < 0 && errno != EINTR)) {
            return false;
        }
        bytes = span_skip(bytes, written > 0 ? (size_t)written : 0);
    }
    return true;
}

static bool write_file(const struct segment_directory *directory, const char *name,
                       struct span bytes) {
    int file = openat(directory->descriptor, name,
                      O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (file < 0) {
        return false;
    }
    bool written = write_all(file, bytes);
    return close(file) == 0 && written;
}

/* False with errno. */
static bool try_to_write(const struct segment_directory *directory, uint64_t id,
                         struct span bytes) {
    char unfinished[NAME_BYTES];
    char name[NAME_BYTES];
    name_file(unfinished, id, UNFINISHED_SUFFIX);
    name_file(name, id, SEGMENT_SUFFIX);
    if (write_file(directory, unfinished, bytes) &&
        renameat(directory->descriptor, unfinished, directory->descriptor, name) == 0) {
        return true;
    }
    int cause = errno;
    (void)unlinkat(directory->descriptor, unfinished, 0);
    errno = cause;
    return false;
}

static bool is_gone(const struct segment_directory *directory) {
    return directory->descriptor < 0 || errno == ENOENT;
}

bool segment_directory_write(struct segment_directory *directory, uint64_t id, struct span bytes,
                             struct error *err) {
    if (try_to_write(directory, id, bytes) ||
        (is_gone(directory) && open_path(directory, NULL) && try_to_write(directory, id, bytes))) {
        return true;
    }
    enum error_code code = errno == ENOSPC || errno == EDQUOT ? ERR_FULL : ERR_SYSTEM;
    return error_set(err, code, "the spool cannot be written: %s", strerror(errno));
}

/* --- reading --- */

static enum segment_reading reading_that_failed(void) {
    switch (errno) {
    case ENOENT:
        return SEGMENT_MISSING;
    case ENOMEM:
    case EMFILE:
    case ENFILE:
    case EINTR:
        return SEGMENT_NOT_NOW;
    default:
        return SEGMENT_UNREADABLE;
    }
}

static enum segment_reading read_open_file(int file, struct buf *ret) {
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode) ||
        (uint64_t)status.st_size > ret->ceiling) {
        return SEGMENT_UNREADABLE;
    }
    size_t left = (size_t)status.st_size;
    char *to = buf_reserve(ret, left);
    if (to == NULL) {
        return SEGMENT_NOT_NOW;
    }
    while (left > 0) {
        ssize_t got = read(file, to + ret->len, left);
        if (got <= 0) {
            return got == 0 ? SEGMENT_UNREADABLE : reading_that_failed();
        }
        buf_commit(ret, (size_t)got);
        left -= (size_t)got;
    }
    return SEGMENT_READ;
}

enum segment_reading segment_directory_read(const struct segment_directory *directory, uint64_t id,
                                            struct buf *ret) {
    char name[NAME_BYTES];
    name_file(name, id, SEGMENT_SUFFIX);
    buf_clear(ret);
    int file = openat(directory->descriptor, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (file < 0) {
        return reading_that_failed();
    }
    enum segment_reading reading = read_open_file(file, ret);
    (void)close(file);
    return reading;
}

bool segment_directory_has(const struct segment_directory *directory, uint64_t id) {
    char name[NAME_BYTES];
    name_file(name, id, SEGMENT_SUFFIX);
    return faccessat(directory->descriptor, name, R_OK, 0) == 0;
}

void segment_directory_remove(const struct segment_directory *directory, uint64_t id) {
    char name[NAME_BYTES];
    name_file(name, id, SEGMENT_SUFFIX);
    (void)unlinkat(directory->descriptor, name, 0);
}
