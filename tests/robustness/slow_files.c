/* A slow or a full file system, loaded into a process with LD_PRELOAD.

   Slow: every write to a regular file goes out in small pieces with a pause between them, and so do
   renames.  Full: after `set_room`, so many bytes can be written, at full speed, and no more. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define PIECE 512
#define PAUSE 300 /* microseconds */

static long room = -1; /* bytes that are left; -1: no limit */

void set_room(long bytes) { room = bytes; }

static int is_file(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}

/* How many of n bytes a write may have, after the pause; -1 if the disk is full. */
static ssize_t allowed(size_t n) {
    if (room < 0) {
        usleep(PAUSE);
        return n < PIECE ? n : PIECE;
    }
    if (!room && n) {
        errno = ENOSPC;
        return -1;
    }
    return n < (size_t)room ? n : room;
}

static ssize_t taken(ssize_t n) {
    if (room > 0 && n > 0) room -= n;
    return n;
}

ssize_t write(int fd, const void *data, size_t n) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    if (!is_file(fd)) return real(fd, data, n);
    ssize_t part = allowed(n);
    return part < 0 ? part : taken(real(fd, data, part));
}

static ssize_t part_pwrite(
    ssize_t (*real)(int, const void *, size_t, off_t), int fd, const void *data, size_t n, off_t at) {
    if (!is_file(fd)) return real(fd, data, n, at);
    ssize_t part = allowed(n);
    return part < 0 ? part : taken(real(fd, data, part, at));
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite");
    return part_pwrite(real, fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    return part_pwrite(real, fd, data, n, at);
}

int rename(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    if (!real) real = dlsym(RTLD_NEXT, "rename");
    if (room >= 0) return real(from, to);
    usleep(PAUSE);
    int result = real(from, to);
    usleep(PAUSE);
    return result;
}
