// Kills the process at a chosen change to the files below a folder: LD_PRELOAD this library.
//
// KILLING_DISK_FOLDER names the folder; KILLING_DISK_AT is the number, from 1, of the call before which SIGKILL strikes,
// 0 or unset for none; KILLING_DISK_COUNT is a file that gets the number of calls at the end of a process that lives.
// Counted are writes, syncs, renames, cuts, removals, new folders and files opened to be made: every boundary at which
// a crash could leave something half done.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static _Atomic long calls;

static int is_below(const char* path) {
  const char* folder = getenv("KILLING_DISK_FOLDER");
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

static void count_call(void) {
  const char* at = getenv("KILLING_DISK_AT");
  if (++calls == (at ? atol(at) : 0)) kill(getpid(), SIGKILL);
}

__attribute__((destructor)) static void report(void) {
  const char* path = getenv("KILLING_DISK_COUNT");
  FILE* file = path ? fopen(path, "w") : NULL;
  if (!file) return;
  fprintf(file, "%ld\n", (long)calls);
  fclose(file);
}

#define NEXT(type, name, ...)            \
  static type (*next)(__VA_ARGS__);      \
  if (!next) *(void**)&next = dlsym(RTLD_NEXT, #name)

ssize_t write(int descriptor, const void* bytes, size_t count) {
  NEXT(ssize_t, write, int, const void*, size_t);
  if (is_descriptor_below(descriptor)) count_call();
  return next(descriptor, bytes, count);
}

int fsync(int descriptor) {
  NEXT(int, fsync, int);
  if (is_descriptor_below(descriptor)) count_call();
  return next(descriptor);
}

#define TRUNCATE(name, offset)                       \
  int name(int descriptor, offset length) {          \
    NEXT(int, name, int, offset);                    \
    if (is_descriptor_below(descriptor)) count_call(); \
    return next(descriptor, length);                 \
  }
TRUNCATE(ftruncate, off_t)
TRUNCATE(ftruncate64, off64_t)

int rename(const char* from, const char* to) {
  NEXT(int, rename, const char*, const char*);
  if (is_below(to)) count_call();
  return next(from, to);
}

#define PATH_CALL(name)                    \
  int name(const char* path) {             \
    NEXT(int, name, const char*);          \
    if (is_below(path)) count_call();      \
    return next(path);                     \
  }
PATH_CALL(unlink)
PATH_CALL(remove)
PATH_CALL(rmdir)

int unlinkat(int folder, const char* path, int flags) {
  NEXT(int, unlinkat, int, const char*, int);
  if (is_below(path) || (path[0] != '/' && is_descriptor_below(folder))) count_call();
  return next(folder, path, flags);
}

int mkdir(const char* path, mode_t mode) {
  NEXT(int, mkdir, const char*, mode_t);
  if (is_below(path)) count_call();
  return next(path, mode);
}

#define OPEN(name)                                                    \
  int name(const char* path, int flags, ...) {                        \
    NEXT(int, name, const char*, int, ...);                           \
    va_list list;                                                     \
    va_start(list, flags);                                            \
    const mode_t mode = (flags & O_CREAT) ? va_arg(list, mode_t) : 0; \
    va_end(list);                                                     \
    if ((flags & O_CREAT) && is_below(path)) count_call();            \
    return next(path, flags, mode);                                   \
  }
OPEN(open)
OPEN(open64)
