// Makes writing below a folder fail: LD_PRELOAD this library.
//
// FAILING_DISK_FOLDER names the folder, FAILING_DISK_ERROR is ENOSPC or EROFS, FAILING_DISK_AFTER the bytes that may be
// written below it first. ENOSPC strikes in write(); EROFS where a file is opened for writing, or a folder made.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static _Atomic long long written;

static int fails_with(const char* error) {
  const char* wanted = getenv("FAILING_DISK_ERROR");
  return wanted && strcmp(wanted, error) == 0;
}

static int has_struck(long long more) {
  const char* after = getenv("FAILING_DISK_AFTER");
  return written + more > (after ? atoll(after) : 0);
}

static int is_below(const char* path) {
  const char* folder = getenv("FAILING_DISK_FOLDER");
  return folder && path && strncmp(path, folder, strlen(folder)) == 0;
}

static int is_descriptor_below(int descriptor) {
  char link[64], path[PATH_MAX];
  snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
  const ssize_t length = readlink(link, path, sizeof path - 1);
  if (length < 0) return 0;
  path[length] = 0;
  return is_below(path);
}

static int refuses_to_open(const char* path, int flags) {
  return (flags & (O_WRONLY | O_RDWR | O_CREAT)) && fails_with("EROFS") && is_below(path) && has_struck(1);
}

ssize_t write(int descriptor, const void* bytes, size_t count) {
  static ssize_t (*next)(int, const void*, size_t);
  if (!next) *(void**)&next = dlsym(RTLD_NEXT, "write");
  if (is_descriptor_below(descriptor)) {
    if (fails_with("ENOSPC") && has_struck((long long)count)) {
      errno = ENOSPC;
      return -1;
    }
    written += (long long)count;
  }
  return next(descriptor, bytes, count);
}

#define OPEN(name)                                                \
  int name(const char* path, int flags, ...) {                    \
    static int (*next)(const char*, int, ...);                    \
    if (!next) *(void**)&next = dlsym(RTLD_NEXT, #name);          \
    va_list list;                                                 \
    va_start(list, flags);                                        \
    const mode_t mode = (flags & O_CREAT) ? va_arg(list, mode_t) : 0; \
    va_end(list);                                                 \
    if (refuses_to_open(path, flags)) {                           \
      errno = EROFS;                                              \
      return -1;                                                  \
    }                                                             \
    return next(path, flags, mode);                               \
  }

OPEN(open)
OPEN(open64)

int mkdir(const char* path, mode_t mode) {
  static int (*next)(const char*, mode_t);
  if (!next) *(void**)&next = dlsym(RTLD_NEXT, "mkdir");
  if (fails_with("EROFS") && is_below(path) && has_struck(1)) {
    errno = EROFS;
    return -1;
  }
  return next(path, mode);
}
