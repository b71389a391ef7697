/* A clock that can be set, for the processes that preload this library: the seconds in the file
 * FAULTS_CLOCK, a 64-bit number, are added to the time of day and to the times of files.
 *
 *     cc -shared -fPIC -o clock.so clock.c
 *
 * Debian's libfaketime can't be used: Python 3.11 sleeps until a monotonic time, which it refuses.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

static const volatile int64_t *added;

__attribute__((constructor)) static void open_clock(void) {
  const char *path = getenv("FAULTS_CLOCK");
  int file = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  void *found = file < 0 ? MAP_FAILED : mmap(NULL, sizeof *added, PROT_READ, MAP_SHARED, file, 0);
  added = found == MAP_FAILED ? NULL : found;
}

static int64_t seconds(void) { return added ? *added : 0; }

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int clock_gettime(clockid_t clock, struct timespec *now) {
  int failed = REAL(clock_gettime)(clock, now);
  if (!failed && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) now->tv_sec += seconds();
  return failed;
}

int gettimeofday(struct timeval *now, void *zone) {
  int failed = REAL(gettimeofday)(now, zone);
  if (!failed) now->tv_sec += seconds();
  return failed;
}

time_t time(time_t *kept) {
  time_t now = REAL(time)(NULL) + seconds();
  if (kept) *kept = now;
  return now;
}

#define SHIFTED(call)                                 \
  int failed = call;                                  \
  if (!failed) {                                      \
    found->st_mtim.tv_sec += seconds();               \
    found->st_ctim.tv_sec += seconds();               \
    found->st_atim.tv_sec += seconds();               \
  }                                                   \
  return failed

int stat(const char *path, struct stat *found) { SHIFTED(REAL(stat)(path, found)); }
int lstat(const char *path, struct stat *found) { SHIFTED(REAL(lstat)(path, found)); }
int fstat(int file, struct stat *found) { SHIFTED(REAL(fstat)(file, found)); }
int fstatat(int folder, const char *path, struct stat *found, int flags) {
  SHIFTED(REAL(fstatat)(folder, path, found, flags));
}
