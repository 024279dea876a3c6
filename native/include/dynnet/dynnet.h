// dynnet.h - the C ABI of the DynNet.Native engine: the one stable border of the library.
//
// Conventions, which hold for every declaration below:
//
//  1. Types. Fixed-width integers, float, double, opaque struct pointers and small PODs only. A struct of more than 16
//     bytes is passed by pointer. Flags are int32_t: 0 is false, anything else true.
//  2. Strings are UTF-8 with a length in bytes; they need no terminating zero. Arrays are a pointer and a count; a null
//     pointer is allowed where the count is 0.
//  3. Every call that can fail returns a dn_status; DN_OK is 0. The results of a failed call are untouched. The message
//     of the latest failure on this thread is read with dn_last_error; it names the operation, shapes and numbers.
//  4. Nothing unwinds across the border, in either direction. A callback returns a status; any status but DN_OK stops
//     the call that made it, which then fails with the same status.
//  5. Ownership. `dn_<noun>_create` hands the caller a reference that it gives back with `dn_<noun>_free`; free accepts
//     null. Objects hold references to what they need (a graph, trainer or builder to its model), so they may be freed
//     in any order. A pointer handed out through `const ...** out` is borrowed: it is valid until what it was read from
//     is renewed, reverted, computed anew, resized or freed, as its comment says.
//  6. Threads. Calls on different objects may run at the same time. A dn_graph may move between threads; two calls into
//     one graph at once fail with DN_E_BUSY. A model may be read by any number of graphs at once; whatever writes it
//     (update, set_values, populate, adding parameters) must not run beside a call that reads or writes it, except that
//     two simultaneous backwards into one model's own gradients fail with DN_E_BUSY. Everything else is free-threaded
//     for reads and must be serialised by the caller for writes.
//  7. Tensors are float32, column-major, up to 7 dimensions plus the batch dimension, as in DyNet: element (i, j) of
//     batch element b of a {rows, cols} tensor is values[i + rows * (j + cols * b)]. {n} and {n, 1} are the same shape.
//  8. Expressions are values of 8 bytes, made by the dn_op_* functions. Shapes are checked when an operation is
//     recorded. An expression of before a renewal, of a reverted part, of another graph or of a freed graph is
//     DN_E_STALE.
//
// Operations (dn_op_*) follow one pattern, from which their extern "C" bodies, the P/Invokes and the C# methods are
// generated: the graph, the operands, the attributes, and the result as the last parameter. In their comments
//     @op NAME            is the C# name, where it is not the C name in .NET casing;
//     @default NAME VALUE makes an attribute optional; of a list, the value is [];
//     @flag NAME          makes an attribute that is 0 or 1 a truth value;
//     @enum NAME TYPE     says of which enumeration an attribute is, which is a public one in C#;
//     @param, @returns    give shapes; @throws names the errors beyond shapes.
#ifndef DYNNET_DYNNET_H_
#define DYNNET_DYNNET_H_

// In the order of reading, which is that of the generated files too.
// clang-format off
#include "dynnet/types.h"
#include "dynnet/library.h"
#include "dynnet/files.h"
#include "dynnet/models.h"
#include "dynnet/graphs.h"
#include "dynnet/values.h"
#include "dynnet/trainers.h"
#include "dynnet/builders.h"
#include "dynnet/ops/inputs.h"
#include "dynnet/ops/arithmetic.h"
#include "dynnet/ops/elementwise.h"
#include "dynnet/ops/noise.h"
#include "dynnet/ops/reductions.h"
#include "dynnet/ops/normalisation.h"
#include "dynnet/ops/shapes.h"
#include "dynnet/ops/gradients.h"
#include "dynnet/ops/losses.h"
#include "dynnet/ops/matrices.h"
#include "dynnet/ops/cells.h"
#include "dynnet/ops/convolutions.h"
#include "dynnet/ops/attention.h"
// clang-format on

#endif  // DYNNET_DYNNET_H_
