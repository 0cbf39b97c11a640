/* A slow file system: every write to a regular file goes out in small pieces with a pause between
   them, and so do renames.  Loaded into a process with LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#define PIECE 512
#define PAUSE 300 /* microseconds */

static int is_file(int fd) {
    struct stat found;
    return fstat(fd, &found) == 0 && S_ISREG(found.st_mode);
}

ssize_t write(int fd, const void *data, size_t n) {
    static ssize_t (*real)(int, const void *, size_t);
    if (!real) real = dlsym(RTLD_NEXT, "write");
    if (!is_file(fd)) return real(fd, data, n);
    usleep(PAUSE);
    return real(fd, data, n < PIECE ? n : PIECE);
}

static ssize_t slow_pwrite(
    ssize_t (*real)(int, const void *, size_t, off_t), int fd, const void *data, size_t n, off_t at) {
    if (is_file(fd)) usleep(PAUSE);
    return real(fd, data, n < PIECE ? n : PIECE, at);
}

ssize_t pwrite(int fd, const void *data, size_t n, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite");
    return slow_pwrite(real, fd, data, n, at);
}

ssize_t pwrite64(int fd, const void *data, size_t n, off_t at) {
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (!real) real = dlsym(RTLD_NEXT, "pwrite64");
    return slow_pwrite(real, fd, data, n, at);
}

int rename(const char *from, const char *to) {
    static int (*real)(const char *, const char *);
    if (!real) real = dlsym(RTLD_NEXT, "rename");
    usleep(PAUSE);
    int result = real(from, to);
    usleep(PAUSE);
    return result;
}
