#pragma once
// In place of CUDA's header where kernels are compiled for the host, to check them without a GPU: what this project's
// sources use of the language and the runtime, and no more. Kernels run on fibers (simt/grid.h); streams hold their work
// back until the host waits (simt/runtime.cpp).
#include "simt/grid.h"
#include "simt/language.h"
#include "simt/runtime.h"
