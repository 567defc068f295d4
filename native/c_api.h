/* What Python calls, through ctypes. Functions that can fail return null or a negative number and write the reason, as
   UTF-8 text, to `error`, which has room for `error_size` bytes. */
#ifndef VOICEGAUGE_C_API_H
#define VOICEGAUGE_C_API_H

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct vg_network vg_network;
typedef struct vg_stream vg_stream;

/* The SIMD paths of this build that this processor can run, best first, separated by commas. */
const char* vg_simd_paths(void);

/* Reads the weights of an ONNX file and packs them for one of the SIMD paths. */
vg_network* vg_network_open(const char* path, const char* simd_path, char* error, size_t error_size);
void vg_network_close(vg_network* network);

/* Starts a recording. The stream stays usable when its network is closed. */
vg_stream* vg_stream_open(const vg_network* network, int threads, char* error, size_t error_size);
void vg_stream_close(vg_stream* stream);

/* Takes samples at 16 kHz; returns 0. */
int vg_stream_push(vg_stream* stream, const float* samples, size_t count, char* error, size_t error_size);

/* Computes what is left and returns the number of windows; `scores` then points to three floats for each, which belong
   to the stream. Nothing may be pushed afterwards. */
long vg_stream_finish(vg_stream* stream, const float** scores, char* error, size_t error_size);

#ifdef __cplusplus
}
#endif

#endif
