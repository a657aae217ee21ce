/* A libnvidia-ml.so.1 with the entrances that labtui uses, so that the real binding can be tried on a
   machine without GPUs. What it says of GPU n is in $NVML_<n>: numbers
   "total used utilization temperature mig [pid...]", or "error <code>". Signatures: nvml.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct { unsigned long long total, free, used; } memory_v1;
typedef struct { unsigned version; unsigned long long total, reserved, free, used; } memory_v2;
typedef struct { unsigned gpu, memory; } rates;
typedef struct { unsigned pid; unsigned long long used; unsigned instance, compute; } process;
typedef struct { int error; unsigned long long total, used; int rate, temperature, mig, count; unsigned pids[64]; } gpu;

enum { OK, UNINITIALIZED, INVALID, NOT_SUPPORTED, INSUFFICIENT_SIZE = 7, MISSING = 13, MISMATCH = 25 };

static int begun, inits;

static int setting(const char *name) { const char *value = getenv(name); return value ? atoi(value) : 0; }

static const char *told(unsigned index) {
    char name[16];
    snprintf(name, sizeof name, "NVML_%u", index);
    return getenv(name);
}

static gpu look(void *handle) {
    gpu found = {0};
    const char *text = told((unsigned)(size_t)handle - 1);
    int read = 0;
    if (!begun) found.error = UNINITIALIZED;
    else if (sscanf(text, "error %d", &found.error) == 1) return found;
    else {
        sscanf(text, "%llu %llu %d %d %d%n", &found.total, &found.used, &found.rate, &found.temperature, &found.mig, &read);
        for (text += read; sscanf(text, "%u%n", &found.pids[found.count], &read) == 1; text += read) found.count++;
    }
    return found;
}

int nvmlInitWithFlags(unsigned flags) {
    (void)flags;
    int error = setting("NVML_INIT");
    if (!error) { begun = 1; fprintf(stderr, "init %d\n", ++inits); }
    return error;
}
int nvmlShutdown(void) { begun = 0; return OK; }
const char *nvmlErrorString(int code) { (void)code; return "a new error"; }
int nvmlDeviceGetCount_v2(unsigned *count) {
    if (!begun) return UNINITIALIZED;
    for (*count = 0; told(*count); ) ++*count;
    return setting("NVML_COUNT");
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, void **handle) {
    *handle = (void *)(size_t)(index + 1);
    return look(*handle).error;
}
int nvmlDeviceGetUUID(void *handle, char *text, unsigned size) {
    snprintf(text, size, "GPU-%08x-0000", (unsigned)(size_t)handle - 1);
    return OK;
}
int nvmlDeviceGetName(void *handle, char *text, unsigned size) {
    (void)handle;
    snprintf(text, size, "NVIDIA Test");
    return OK;
}
int nvmlDeviceGetMemoryInfo(void *handle, memory_v1 *memory) {
    gpu found = look(handle);
    memory->total = found.total, memory->used = found.used + 7, memory->free = found.total - memory->used;
    return found.total ? OK : NOT_SUPPORTED;
}
int nvmlDeviceGetMemoryInfo_v2(void *handle, memory_v2 *memory) {
    gpu found = look(handle);
    if (setting("NVML_OLD")) return MISMATCH;
    if (memory->version != ((unsigned)sizeof *memory | 2u << 24)) return MISMATCH;
    memory->total = found.total, memory->used = found.used, memory->reserved = 7;
    return found.total ? OK : NOT_SUPPORTED;
}
int nvmlDeviceGetUtilizationRates(void *handle, rates *found) {
    found->gpu = look(handle).rate, found->memory = 0;
    return look(handle).rate < 0 ? NOT_SUPPORTED : OK;
}
int nvmlDeviceGetTemperature(void *handle, int sensor, unsigned *degrees) {
    *degrees = look(handle).temperature;
    return sensor ? INVALID : look(handle).temperature < 0 ? NOT_SUPPORTED : OK;
}
int nvmlDeviceGetMigMode(void *handle, unsigned *now, unsigned *next) {
    *now = *next = look(handle).mig > 0;
    return look(handle).mig < 0 ? NOT_SUPPORTED : OK;
}

/* A pid above a million computes and draws, one above two millions only draws. */
static int list(void *handle, unsigned *count, process *found, int drawing) {
    gpu known = look(handle);
    unsigned room = *count, kept = 0;
    for (int i = 0; i < known.count; i++) {
        if (drawing ? known.pids[i] < 1000000 : known.pids[i] > 2000000) continue;
        if (found && kept < room)
            found[kept] = (process){known.pids[i], i ? 1000u * i : ~0ull, ~0u, ~0u};
        kept++;
    }
    *count = kept;
    return kept > (found ? room : 0) ? INSUFFICIENT_SIZE : OK;
}
int nvmlDeviceGetComputeRunningProcesses_v2(void *handle, unsigned *count, process *found) {
    return list(handle, count, found, 0);
}
int nvmlDeviceGetComputeRunningProcesses_v3(void *handle, unsigned *count, process *found) {
    return setting("NVML_OLD") ? MISSING : list(handle, count, found, 0);
}
int nvmlDeviceGetGraphicsRunningProcesses_v3(void *handle, unsigned *count, process *found) {
    return setting("NVML_OLD") ? MISSING : list(handle, count, found, 1);
}
