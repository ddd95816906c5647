/* A disk that fails where a test says. Preloaded; counts every call that changes a file under a folder, and at the n-th
 * of them does what was asked:
 *
 *   KILL    the process dies before the call
 *   TORN    half of the bytes are written, then the process dies
 *   LOSE    as after a power cut: the process dies, and every write that was not synchronised since is undone
 *   SOME    the same, but each of those writes is undone or kept as a seed says
 *   ERROR   the call, and every one like it after it, fails (EIO for synchronising, ENOSPC for writing)
 *
 * Written for one thread of writes at a time, which is what a ledger has; a lock keeps the rest honest.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum kind { OFF, KILL, TORN, LOSE, SOME, ERROR };

struct pending {
    dev_t device;
    ino_t inode;
    char path[PATH_MAX];
    off_t offset, old_size;
    size_t length, kept;
    char *before;
};

static char folder[PATH_MAX];
static enum kind kind = OFF;
static long at, count;
static unsigned long seed;
static int failing_writes, failing_syncs;
static struct pending *pending;
static size_t pending_count, pending_room;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static ssize_t (*real_write)(int, const void *, size_t);
static ssize_t (*real_pwrite)(int, const void *, size_t, off_t);
static int (*real_fsync)(int);
static int (*real_fdatasync)(int);
static int (*real_ftruncate)(int, off_t);
static int (*real_rename)(const char *, const char *);
static int (*real_unlink)(const char *);

__attribute__((constructor)) static void find_real(void) {
    real_write = dlsym(RTLD_NEXT, "write");
    real_pwrite = dlsym(RTLD_NEXT, "pwrite64");
    real_fsync = dlsym(RTLD_NEXT, "fsync");
    real_fdatasync = dlsym(RTLD_NEXT, "fdatasync");
    real_ftruncate = dlsym(RTLD_NEXT, "ftruncate64");
    real_rename = dlsym(RTLD_NEXT, "rename");
    real_unlink = dlsym(RTLD_NEXT, "unlink");
}

/* What a test calls: from here on, in files under `where`, the `n`-th change (from 1) does `what`. */
void fault_arm(const char *where, int what, long n, unsigned long with_seed) {
    snprintf(folder, sizeof folder, "%s/", where);
    kind = what, at = n, count = 0, seed = with_seed;
}

long fault_count(void) { return count; }

static int is_ours(const char *path) { return kind != OFF && strncmp(path, folder, strlen(folder)) == 0; }

static int path_of(int descriptor, char *path) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", descriptor);
    ssize_t length = readlink(link, path, PATH_MAX - 1);
    if (length < 0) return 0;
    path[length] = 0;
    return is_ours(path);
}

static void die(void) {
    kill(getpid(), SIGKILL);
    for (;;) pause();
}

static int is_undone(void) {
    if (kind == LOSE) return 1;
    seed = seed * 6364136223846793005UL + 1442695040888963407UL;
    return (seed >> 40) & 1;
}

static void cut_power(void) {
    while (pending_count > 0) {
        struct pending *one = &pending[--pending_count];
        int descriptor = open(one->path, O_WRONLY);
        struct stat status;
        if (descriptor < 0) continue;
        if (fstat(descriptor, &status) == 0 && status.st_ino == one->inode && is_undone()) {
            real_pwrite(descriptor, one->before, one->kept, one->offset);
            if (kind == LOSE) {
                real_ftruncate(descriptor, one->old_size);
            } else {
                /* A later write may have made the file longer: what is lost in the middle reads as zeros. */
                for (size_t done = one->kept; done < one->length; done++) real_pwrite(descriptor, "", 1, one->offset + done);
            }
        }
        close(descriptor);
    }
    die();
}

/* Called with the lock held. Whether the call has to fail with an error. */
static int is_hit(int is_sync) {
    count++;
    if (kind == ERROR) {
        if (count == at) *(is_sync ? &failing_syncs : &failing_writes) = 1;
        return is_sync ? failing_syncs : failing_writes;
    }
    if (count != at) return 0;
    if (kind == KILL) die();
    if (kind == LOSE || kind == SOME) cut_power();
    return kind == TORN;
}

static void remember(int descriptor, const char *path, size_t length, off_t offset) {
    struct stat status;
    if ((kind != LOSE && kind != SOME) || fstat(descriptor, &status) != 0) return;
    if (pending_count == pending_room) {
        pending_room = pending_room ? 2 * pending_room : 64;
        pending = realloc(pending, pending_room * sizeof *pending);
        if (!pending) abort();
    }
    struct pending *one = &pending[pending_count++];
    *one = (struct pending){.device = status.st_dev, .inode = status.st_ino, .offset = offset, .length = length};
    strcpy(one->path, path);
    one->old_size = status.st_size;
    one->before = malloc(length ? length : 1);
    if (!one->before) abort();
    int reader = open(path, O_RDONLY);
    ssize_t kept = reader < 0 ? 0 : pread(reader, one->before, length, offset);
    if (reader >= 0) close(reader);
    one->kept = kept > 0 ? (size_t)kept : 0;
}

static void forget(int descriptor) {
    struct stat status;
    size_t kept = 0;
    if (fstat(descriptor, &status) != 0) return;
    for (size_t index = 0; index < pending_count; index++) {
        if (pending[index].inode == status.st_ino && pending[index].device == status.st_dev) free(pending[index].before);
        else pending[kept++] = pending[index];
    }
    pending_count = kept;
}

static ssize_t put(int descriptor, const void *bytes, size_t length, off_t offset, int is_at) {
    char path[PATH_MAX];
    if (kind == OFF || !path_of(descriptor, path))
        return is_at ? real_pwrite(descriptor, bytes, length, offset) : real_write(descriptor, bytes, length);
    pthread_mutex_lock(&lock);
    if (is_hit(0)) {
        if (kind == TORN) {
            if (is_at) real_pwrite(descriptor, bytes, length / 2, offset);
            else real_write(descriptor, bytes, length / 2);
            die();
        }
        pthread_mutex_unlock(&lock);
        errno = ENOSPC;
        return -1;
    }
    struct stat status;
    int is_append = !is_at && fcntl(descriptor, F_GETFL) & O_APPEND && fstat(descriptor, &status) == 0;
    remember(descriptor, path, length, is_at ? offset : is_append ? status.st_size : lseek(descriptor, 0, SEEK_CUR));
    ssize_t done = is_at ? real_pwrite(descriptor, bytes, length, offset) : real_write(descriptor, bytes, length);
    pthread_mutex_unlock(&lock);
    return done;
}

ssize_t write(int descriptor, const void *bytes, size_t length) { return put(descriptor, bytes, length, 0, 0); }
ssize_t pwrite(int descriptor, const void *bytes, size_t length, off_t offset) { return put(descriptor, bytes, length, offset, 1); }
ssize_t pwrite64(int descriptor, const void *bytes, size_t length, off_t offset) { return put(descriptor, bytes, length, offset, 1); }

static int synchronise(int descriptor, int (*real)(int)) {
    char path[PATH_MAX];
    if (kind == OFF || !path_of(descriptor, path)) return real(descriptor);
    pthread_mutex_lock(&lock);
    if (is_hit(1)) {
        if (kind == TORN) die();
        pthread_mutex_unlock(&lock);
        errno = EIO;
        return -1;
    }
    int outcome = real(descriptor);
    if (outcome == 0) forget(descriptor);
    pthread_mutex_unlock(&lock);
    return outcome;
}

int fsync(int descriptor) { return synchronise(descriptor, real_fsync); }
int fdatasync(int descriptor) { return synchronise(descriptor, real_fdatasync); }

/* Names and lengths of files: counted, and refused or never done; once done they stay. */
static int is_stopped(const char *path) {
    if (!is_ours(path)) return 0;
    pthread_mutex_lock(&lock);
    int is_refused = is_hit(0);
    if (is_refused && kind == TORN) die();
    pthread_mutex_unlock(&lock);
    if (is_refused) errno = ENOSPC;
    return is_refused;
}

int ftruncate64(int descriptor, off_t length) {
    char path[PATH_MAX];
    if (kind != OFF && path_of(descriptor, path) && is_stopped(path)) return -1;
    return real_ftruncate(descriptor, length);
}
int ftruncate(int descriptor, off_t length) { return ftruncate64(descriptor, length); }
int rename(const char *from, const char *to) { return is_stopped(from) ? -1 : real_rename(from, to); }
int unlink(const char *path) { return is_stopped(path) ? -1 : real_unlink(path); }
