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
//     @default NAME VALUE makes an attribute optional;
//     @param, @returns    give shapes; @throws names the errors beyond shapes.
#ifndef DYNNET_DYNNET_H_
#define DYNNET_DYNNET_H_

#include <stdint.h>

#if defined(_WIN32)
#define DN_API __declspec(dllexport)
#else
#define DN_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

// ---- basic types ----

/// The version of this header; the loader compares it with dn_abi_version.
#define DN_ABI_VERSION 1

/// The number of dimensions that a tensor may have, the batch dimension not counted.
#define DN_MAX_DIMS 7

/// How a call ended.
typedef enum dn_status {
  /// The call did what it says.
  DN_OK = 0,
  /// An argument is outside its range, null, or of the wrong kind.
  DN_E_ARGUMENT = 1,
  /// The shapes of the operands do not fit the operation.
  DN_E_SHAPE = 2,
  /// The expression is of another graph, or of before a renewal or revert, or was never made.
  DN_E_STALE = 3,
  /// An index is out of the range of what it indexes.
  DN_E_INDEX = 4,
  /// The object is in use by another call.
  DN_E_BUSY = 5,
  /// The memory limit, or the machine's memory, does not suffice.
  DN_E_MEMORY = 6,
  /// A model file is damaged, incomplete, or not of this format.
  DN_E_FORMAT = 7,
  /// The file does not exist.
  DN_E_NOT_FOUND = 8,
  /// The operating system failed to read or write the file.
  DN_E_IO = 9,
  /// The object was freed while the call was made.
  DN_E_DISPOSED = 10,
  /// A computed value is NaN or infinite (reported only where checks are on).
  DN_E_VALUE = 11,
  /// A device was asked for that is not there or does not work.
  DN_E_DEVICE = 12,
  /// The call does not fit the object's state.
  DN_E_STATE = 13,
  /// The call was cancelled by its callback.
  DN_E_CANCELLED = 14,
  /// A defect of the library itself.
  DN_E_INTERNAL = 15,
  /// The operating system does not permit to read or write the file.
  DN_E_PERMISSION = 16
} dn_status;

/// Parameters, lookup parameters and sub-collections, with one name space.
typedef struct dn_model dn_model;
/// A trained tensor; owned by its model.
typedef struct dn_parameter dn_parameter;
/// A table of trained rows, read by index; owned by its model.
typedef struct dn_lookup_parameter dn_lookup_parameter;
/// Gradients of the parameters of one model, apart from the model's own.
typedef struct dn_gradients dn_gradients;
/// A computation graph.
typedef struct dn_graph dn_graph;
/// An optimiser of one model.
typedef struct dn_trainer dn_trainer;
/// A builder of LSTM cells.
typedef struct dn_lstm dn_lstm;

/// An expression: a node of a graph. All bits 0 is no expression.
typedef struct dn_expr {
  /// The node's number in its graph.
  uint32_t node;
  /// The stamp under which it was made; unique in the process to one graph between two renewals or reverts.
  uint32_t stamp;
} dn_expr;

/// A shape: `nd` dimensions and the batch size. Dimensions from `nd` on are 1 and need not be set.
typedef struct dn_dim {
  /// Sizes, each at least 1.
  uint32_t d[DN_MAX_DIMS];
  /// The number of dimensions, 0 to 7; 0 is a scalar.
  uint32_t nd;
  /// The batch size, at least 1.
  uint32_t bd;
} dn_dim;

/// How a parameter gets its first values.
typedef enum dn_initializer_kind {
  /// Glorot uniform (Glorot and Bengio 2010): U(-s, s), s = a * sqrt(3 * nd / sum of the nd dimensions), which is
  /// a * sqrt(6 / (m + n)) for a matrix and a * sqrt(3 / n) for a vector, as in DyNet; four dimensions {h, w, in, out}
  /// are a filter, with s = a * sqrt(6 / (h * w * (in + out))). Of a lookup table the number of rows does not count.
  /// a is the gain.
  DN_INIT_GLOROT = 0,
  /// Uniform on [a, b).
  DN_INIT_UNIFORM = 1,
  /// Normal with mean a and standard deviation b.
  DN_INIT_NORMAL = 2,
  /// Every element is a.
  DN_INIT_CONSTANT = 3,
  /// The identity; the parameter is a square matrix.
  DN_INIT_IDENTITY = 4,
  /// The values given, column-major.
  DN_INIT_VALUES = 5
} dn_initializer_kind;

/// A description of first values; passed by pointer and read during the call only.
typedef struct dn_initializer {
  /// A dn_initializer_kind.
  int32_t kind;
  /// Reserved, 0.
  int32_t reserved;
  /// The first number of the kind.
  double a;
  /// The second number of the kind.
  double b;
  /// The values of DN_INIT_VALUES, else null.
  const float* values;
  /// The number of values.
  int64_t values_count;
} dn_initializer;

/// How well the latest forward was batched.
typedef struct dn_batch_stats {
  /// Nodes computed, parameters and inputs not counted; of nodes that compute the same, one.
  int64_t nodes;
  /// Kernel batches that computed them.
  int64_t batches;
  /// Nodes that ran in a batch with at least one other.
  int64_t batched_nodes;
} dn_batch_stats;

/// Writes bytes somewhere; called in order. Any status but DN_OK stops the writing.
typedef dn_status (*dn_write_callback)(void* context, const uint8_t* bytes, int64_t bytes_count);

// ---- library and device ----

/// The ABI version of the library that answers; equal to DN_ABI_VERSION of the header it was built from.
/// Thread-safe.
DN_API int32_t dn_abi_version(void);

/// The library's version, "major.minor.patch". The string is static. Thread-safe.
/// @param length gets the length in bytes; may be null
DN_API const char* dn_version(int64_t* length);

/// The message of the latest failed call on this thread, empty if there was none. It is valid until the next failed
/// call on this thread.
/// @param length gets the length in bytes; may be null
DN_API const char* dn_last_error(int64_t* length);

/// The instruction set whose kernels run: "v2", "v3" or "v4" of x86-64, or "portable". Chosen once, at first use, from
/// what the processor has; the environment variable DYNNET_ISA forces a lower one, and "none" is the answer if that is
/// not to be had: then every computation fails with DN_E_DEVICE. The string is static. Thread-safe.
/// @param length gets the length in bytes; may be null
DN_API const char* dn_device_isa(int64_t* length);

/// The number of threads that one computation may use. The default is the environment variable DYNNET_THREADS (1 to
/// 256), else the number of processors that the process may use (its cgroup's quota and affinity). 0 if the variable is
/// no such number: then every computation fails with DN_E_DEVICE until dn_device_set_threads. Thread-safe.
DN_API int32_t dn_device_threads(void);

/// Sets the number of threads that one computation may use. Takes effect at the next computation. Thread-safe.
/// @param threads 1 to 256
DN_API dn_status dn_device_set_threads(int32_t threads);

/// The bytes that graphs and models hold now. Thread-safe.
DN_API int64_t dn_memory_used(void);

/// The bytes that graphs and models may hold together. The default is the cgroup's limit, else the machine's memory.
/// Thread-safe.
DN_API int64_t dn_memory_limit(void);

/// Sets the bytes that graphs and models may hold together; a call that would need more fails with DN_E_MEMORY.
/// Thread-safe.
/// @param bytes at least 0; 0 restores the default
DN_API dn_status dn_memory_set_limit(int64_t bytes);

// ---- models ----

/// Makes an empty model.
/// @param seed keys all initial values: one seed gives one model
DN_API dn_status dn_model_create(uint64_t seed, dn_model** out);

/// Gives back a reference to a model or sub-collection. The parameters live as long as anything refers to the model.
DN_API void dn_model_free(dn_model* model);

/// Makes a sub-collection: a model whose parameters belong to the parent, under the parent's path and the given name. A
/// name already in use gets _1, _2 and so on appended; an empty name becomes _0, _1 and so on, as in DyNet.
/// @param name no '/' and no whitespace in it
/// @param out a new reference, given back with dn_model_free
DN_API dn_status dn_model_add_subcollection(dn_model* model, const char* name, int64_t name_length, dn_model** out);

/// The model's path, "/" for a root, "/encoder/" for a sub-collection. Borrowed for the model's life.
DN_API dn_status dn_model_path(const dn_model* model, const char** out, int64_t* out_length);

/// Adds a parameter. Names are made unique as by dn_model_add_subcollection.
/// @param dim no batch dimension
/// @param out owned by the model
DN_API dn_status dn_model_add_parameters(dn_model* model, const dn_dim* dim, const dn_initializer* initializer,
                                         const char* name, int64_t name_length, dn_parameter** out);

/// Adds a lookup parameter: a table of `rows` tensors of one shape. Names are made unique as by
/// dn_model_add_subcollection.
/// @param rows 1 to 2^31 - 1
/// @param dim the shape of one row, at most 6 dimensions and no batch
/// @param out owned by the model
DN_API dn_status dn_model_add_lookup_parameters(dn_model* model, int64_t rows, const dn_dim* dim,
                                                const dn_initializer* initializer, const char* name,
                                                int64_t name_length, dn_lookup_parameter** out);

/// The number of parameters in the model, sub-collections included.
DN_API dn_status dn_model_parameters_count(const dn_model* model, int64_t* out);

/// The parameter at a place in the order of their creation.
DN_API dn_status dn_model_parameter_at(const dn_model* model, int64_t index, dn_parameter** out);

/// The number of lookup parameters in the model, sub-collections included.
DN_API dn_status dn_model_lookup_parameters_count(const dn_model* model, int64_t* out);

/// The lookup parameter at a place in the order of their creation.
DN_API dn_status dn_model_lookup_parameter_at(const dn_model* model, int64_t index, dn_lookup_parameter** out);

/// The number of trained values in the model, sub-collections and lookup tables included.
DN_API dn_status dn_model_values_count(const dn_model* model, int64_t* out);

/// The weight decay: each update multiplies every value by 1 - lambda, before the gradient's step. The default is 0.
DN_API dn_status dn_model_weight_decay(const dn_model* model, double* out);

/// Sets the weight decay. There is one for a model and all its sub-collections, whichever it is set on.
/// @param lambda 0 or more, less than 1
DN_API dn_status dn_model_set_weight_decay(dn_model* model, double lambda);

/// Sets the gradients of all parameters to 0.
DN_API dn_status dn_model_reset_gradients(dn_model* model);

/// Writes a model in DyNet's text format. The file appears whole or not at all: it is written beside its place, synced
/// and renamed.
/// @param key the path under which the names are written, such as "/decoder/", or empty for the names as they are
/// @param with_gradients writes gradients too, where they are not 0
DN_API dn_status dn_model_save(const dn_model* model, const char* path, int64_t path_length, const char* key,
                               int64_t key_length, int32_t with_gradients);

/// Writes a model in DyNet's text format through a callback.
DN_API dn_status dn_model_save_to(const dn_model* model, dn_write_callback write, void* context, const char* key,
                                  int64_t key_length, int32_t with_gradients);

/// Reads a file in DyNet's text format into a new model, making the parameters and sub-collections that it names.
/// @param key reads only what lies below this path, which becomes the root of the new model: with "/encoder/",
/// "/encoder/b" becomes "/b"; empty for all
DN_API dn_status dn_model_load(const char* path, int64_t path_length, const char* key, int64_t key_length,
                               dn_model** out);

/// Reads text in DyNet's format into a new model.
/// @param key reads only what lies below this path; empty for all
DN_API dn_status dn_model_load_from(const uint8_t* bytes, int64_t bytes_count, const char* key, int64_t key_length,
                                    dn_model** out);

/// Reads the values of a model's parameters, and the gradients where the file has them, from a file in DyNet's text
/// format. Every parameter of the model must be in the file under its name with its shape; what else the file holds is
/// ignored. On failure the model is as it was.
/// @param key the path in the file that corresponds to the model's own path; empty for the names as they are
DN_API dn_status dn_model_populate(dn_model* model, const char* path, int64_t path_length, const char* key,
                                   int64_t key_length);

/// Reads the values of a model's parameters from text in DyNet's format, as dn_model_populate does.
DN_API dn_status dn_model_populate_from(dn_model* model, const uint8_t* bytes, int64_t bytes_count, const char* key,
                                        int64_t key_length);

// ---- parameters ----

/// The full name, such as "/encoder/W". Borrowed for the parameter's life.
DN_API dn_status dn_parameter_name(const dn_parameter* parameter, const char** out, int64_t* out_length);

/// The shape.
DN_API dn_status dn_parameter_dim(const dn_parameter* parameter, dn_dim* out);

/// The values, column-major. Borrowed for the parameter's life; they change with updates.
DN_API dn_status dn_parameter_values(const dn_parameter* parameter, const float** out, int64_t* out_count);

/// Replaces all values.
/// @param values_count the number of elements of the parameter
DN_API dn_status dn_parameter_set_values(dn_parameter* parameter, const float* values, int64_t values_count);

/// The accumulated gradient in the model's own set, column-major. Borrowed for the parameter's life; it changes with
/// backward and update.
DN_API dn_status dn_parameter_gradient(dn_parameter* parameter, const float** out, int64_t* out_count);

/// The full name. Borrowed for the parameter's life.
DN_API dn_status dn_lookup_parameter_name(const dn_lookup_parameter* parameter, const char** out, int64_t* out_length);

/// The shape of one row.
DN_API dn_status dn_lookup_parameter_dim(const dn_lookup_parameter* parameter, dn_dim* out);

/// The number of rows.
DN_API dn_status dn_lookup_parameter_rows(const dn_lookup_parameter* parameter, int64_t* out);

/// All values, row after row, each column-major. Borrowed for the parameter's life; they change with updates.
DN_API dn_status dn_lookup_parameter_values(const dn_lookup_parameter* parameter, const float** out,
                                            int64_t* out_count);

/// Replaces all values.
DN_API dn_status dn_lookup_parameter_set_values(dn_lookup_parameter* parameter, const float* values,
                                                int64_t values_count);

/// Replaces the values of one row.
DN_API dn_status dn_lookup_parameter_set_row(dn_lookup_parameter* parameter, int64_t row, const float* values,
                                             int64_t values_count);

/// Copies the accumulated gradient of one row in the model's own set; zeros if the row has none.
/// @param values_count the number of elements of a row
DN_API dn_status dn_lookup_parameter_row_gradient(dn_lookup_parameter* parameter, int64_t row, float* values,
                                                  int64_t values_count);

// ---- gradient sets ----

/// Makes an empty gradient set for a model: a place for one worker's gradients. Sets are merged in the order given to
/// dn_trainer_update_from, so the result does not depend on which worker ends first.
DN_API dn_status dn_gradients_create(dn_model* model, dn_gradients** out);

/// Gives back a gradient set.
DN_API void dn_gradients_free(dn_gradients* gradients);

/// Sets all gradients of the set to 0.
DN_API dn_status dn_gradients_reset(dn_gradients* gradients);

/// The gradient of one parameter in the set, column-major. Borrowed until the set changes or is freed.
DN_API dn_status dn_gradients_parameter(dn_gradients* gradients, const dn_parameter* parameter, const float** out,
                                        int64_t* out_count);

/// Copies the gradient of one row of a lookup table in the set; zeros if the row has none.
/// @param values_count the number of elements of a row
DN_API dn_status dn_gradients_lookup_row(dn_gradients* gradients, const dn_lookup_parameter* parameter, int64_t row,
                                         float* values, int64_t values_count);

// ---- graphs ----

/// Makes an empty graph.
/// @param seed keys the graph's random draws together with a node's place: the same program draws the same numbers
DN_API dn_status dn_graph_create(uint64_t seed, dn_graph** out);

/// Gives back a graph. A call that another thread is making into it goes on; the graph is freed when that call leaves.
DN_API void dn_graph_free(dn_graph* graph);

/// Empties the graph, keeping its memory for the next example. All its expressions become stale.
DN_API dn_status dn_graph_renew(dn_graph* graph);

/// Remembers the graph as it is, for dn_graph_revert. Checkpoints nest.
DN_API dn_status dn_graph_checkpoint(dn_graph* graph);

/// Takes back everything recorded since the latest checkpoint, which is thereby used up. Expressions of before it stay
/// valid; their values are computed again when they are asked for, with the same bits, if they were computed after it.
/// @throws DN_E_STATE without a checkpoint
DN_API dn_status dn_graph_revert(dn_graph* graph);

/// The number of nodes recorded. An affine transformation that was computed as one with its activation and is used by
/// something else, or a backward, only then counts twice.
DN_API dn_status dn_graph_nodes_count(const dn_graph* graph, int64_t* out);

/// Computes each node when it is recorded. Off by default.
DN_API dn_status dn_graph_set_immediate(dn_graph* graph, int32_t on);

/// Reports the first NaN or infinity that is computed as DN_E_VALUE, with its operation and node. Off by default.
DN_API dn_status dn_graph_set_check_values(dn_graph* graph, int32_t on);

/// Runs nodes of one type together where they are independent. On by default; values are the same bits either way.
DN_API dn_status dn_graph_set_batching(dn_graph* graph, int32_t on);

/// The shape of an expression.
DN_API dn_status dn_graph_dim(dn_graph* graph, dn_expr x, dn_dim* out);

/// Computes all nodes up to x anew, reading inputs and indices as they are now.
DN_API dn_status dn_graph_forward(dn_graph* graph, dn_expr x);

/// Computes those nodes up to x that have no value yet.
/// @throws DN_E_STATE as dn_graph_value
DN_API dn_status dn_graph_incremental_forward(dn_graph* graph, dn_expr x);

/// The value of an expression, column-major, computed if it was not yet. Borrowed until the graph is renewed, reverted,
/// freed, or computed anew by dn_graph_forward or by a dn_graph_backward after parameters changed; the memory stays
/// readable while the graph lives. An affine transformation that was computed as one with its activation has its own
/// value from when it is first asked for.
/// @throws DN_E_STATE if that is after a parameter of the graph has changed
DN_API dn_status dn_graph_value(dn_graph* graph, dn_expr x, const float** out, int64_t* out_count);

/// The value of an expression of one element, computed if it was not yet.
/// @throws DN_E_STATE as dn_graph_value
DN_API dn_status dn_graph_scalar_value(dn_graph* graph, dn_expr x, float* out);

/// Adds the gradients of x with respect to the parameters to a gradient set, running the forward if need be: nodes
/// without a value are computed; if a parameter that the graph uses has changed since, all nodes are computed anew, as
/// by dn_graph_forward. If it fails for want of memory, the set may hold a part of the gradients: reset it.
/// @param x one element, batch included
/// @param gradients where to add the gradients of its model; null for each model's own set
/// @param full keeps the gradients of all nodes that x depends on, not only of those on a path to a parameter
/// @throws DN_E_SHAPE if x has more than one element; DN_E_BUSY if another backward writes the same set; DN_E_ARGUMENT
/// if x depends on no parameter of the given set's model, but on some of others
DN_API dn_status dn_graph_backward(dn_graph* graph, dn_expr x, dn_gradients* gradients, int32_t full);

/// The gradient of the latest backward's result with respect to an expression, column-major; zeros if it does not
/// depend on it. Borrowed until the next backward, renewal or revert. Of parameters, and of nodes that compute the same
/// as others, it is found when it is first asked for, which takes as long as a backward; that of an affine
/// transformation that was computed as one with its activation is found then from the activation's.
/// @throws DN_E_STATE without a backward; if the expression is on no path to a parameter and `full` was not asked for;
/// or, where it has yet to be found, if a parameter has changed or a forward has been run since the backward
DN_API dn_status dn_graph_gradient(dn_graph* graph, dn_expr x, const float** out, int64_t* out_count);

/// Gives an input new values, which the next dn_graph_forward reads.
/// @param x made by dn_op_input or dn_op_input_scalar
DN_API dn_status dn_graph_set_input(dn_graph* graph, dn_expr x, const float* values, int64_t values_count);

/// Gives an operation with indices (lookup, pick, pick_neg_log_softmax, hinge) new ones, which the next
/// dn_graph_forward reads. Their number stays.
DN_API dn_status dn_graph_set_indices(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count);

/// Counts of the latest forward.
DN_API dn_status dn_graph_batch_stats(const dn_graph* graph, dn_batch_stats* out);

/// A report of the latest forward as text: what ran together, and what could not and why. Borrowed until the next call
/// of this function on the graph.
DN_API dn_status dn_graph_batching_report(dn_graph* graph, const char** out, int64_t* out_length);

/// Begins a profile of what the graph computes from now on, renewals included, or ends and forgets it. Off by default;
/// a batch then takes some 50 ns longer.
DN_API dn_status dn_graph_set_profiling(dn_graph* graph, int32_t on);

/// The profile as text: for each operation and shapes, forward and backward, how many batches and nodes and how long
/// they took, in milliseconds; how long planning, the sums of parameters' gradients and waiting for other threads took.
/// Borrowed until the next call of this function on the graph.
/// @throws DN_E_STATE if no profile was begun
DN_API dn_status dn_graph_profile(dn_graph* graph, const char** out, int64_t* out_length);

/// The profile as a trace, a JSON object in Chromium's trace event format: each of the first million batches with its
/// time and size; thread 0 is the one that computes the graph, the others are parts that threads computed side by side.
/// Borrowed until the next call of this function on the graph.
/// @throws DN_E_STATE if no profile was begun
DN_API dn_status dn_graph_profile_trace(dn_graph* graph, const char** out, int64_t* out_length);

// ---- trainers ----

/// Stochastic gradient descent: w -= rate * g.
DN_API dn_status dn_trainer_create_simple_sgd(dn_model* model, double learning_rate, dn_trainer** out);

/// Gradient descent with momentum: v = momentum * v - rate * g; w += v.
DN_API dn_status dn_trainer_create_momentum_sgd(dn_model* model, double learning_rate, double momentum,
                                                dn_trainer** out);

/// Adam: m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2; w -= rate * sqrt(1 - b2^t) / (1 - b1^t) * m / (sqrt(v) + eps),
/// as in DyNet (Kingma and Ba 2015, the order of section 2's last paragraph).
DN_API dn_status dn_trainer_create_adam(dn_model* model, double learning_rate, double beta1, double beta2,
                                        double epsilon, dn_trainer** out);

/// Gives back a trainer.
DN_API void dn_trainer_free(dn_trainer* trainer);

/// Updates all parameters from the model's own gradients, and sets those to 0.
/// @throws DN_E_VALUE if the norm of the gradients, needed for clipping, is NaN or infinite: nothing is updated, and
/// dn_model_reset_gradients clears the way for the next
DN_API dn_status dn_trainer_update(dn_trainer* trainer);

/// Merges gradient sets into the model's own in the order given, sets them to 0, and updates as dn_trainer_update does.
DN_API dn_status dn_trainer_update_from(dn_trainer* trainer, dn_gradients* const* sets, int32_t sets_count);

/// The learning rate.
DN_API dn_status dn_trainer_learning_rate(const dn_trainer* trainer, double* out);

/// Sets the learning rate.
/// @param learning_rate finite, 0 or more
DN_API dn_status dn_trainer_set_learning_rate(dn_trainer* trainer, double learning_rate);

/// The gradient norm above which all gradients are scaled down to it; 0 if clipping is off. The default is 5, as in
/// DyNet.
DN_API dn_status dn_trainer_clip_threshold(const dn_trainer* trainer, double* out);

/// Sets the clipping threshold.
/// @param threshold 0 (no clipping) or more
DN_API dn_status dn_trainer_set_clip_threshold(dn_trainer* trainer, double threshold);

/// Whether only those rows of a lookup table are updated that have a gradient; on by default, as in DyNet.
DN_API dn_status dn_trainer_sparse_updates(const dn_trainer* trainer, int32_t* out);

/// Chooses between updating only the rows of a lookup table that have a gradient, and updating all.
DN_API dn_status dn_trainer_set_sparse_updates(dn_trainer* trainer, int32_t on);

/// The number of updates made.
DN_API dn_status dn_trainer_updates_count(const dn_trainer* trainer, int64_t* out);

/// The number of updates whose gradients were clipped.
DN_API dn_status dn_trainer_clips_count(const dn_trainer* trainer, int64_t* out);

// ---- builders ----

/// Makes the parameters of a stack of LSTM layers in a sub-collection "vanilla-lstm-builder" of the model, as DyNet
/// does: for each layer Wx {4h, input}, Wh {4h, h} and b {4h}, gates in the order i, f, o, g.
/// i = s(..), f = s(.. + 1), o = s(..), g = tanh(..); c' = f * c + i * g; h' = o * tanh(c').
/// @param layers at least 1
DN_API dn_status dn_lstm_create(dn_model* model, int32_t layers, int32_t input_dim, int32_t hidden_dim, dn_lstm** out);

/// Gives back a builder.
DN_API void dn_lstm_free(dn_lstm* lstm);

/// Sets the dropout rates of inputs and of recurrent states; one mask is drawn for a whole sequence (Gal and Ghahramani
/// 2016), as in DyNet. Takes effect at the next initial state.
/// @param input_rate 0 or more, less than 1
/// @param hidden_rate 0 or more, less than 1
DN_API dn_status dn_lstm_set_dropout(dn_lstm* lstm, double input_rate, double hidden_rate);

/// The number of expressions in a state: c and h of each layer, and the dropout masks of each layer.
DN_API dn_status dn_lstm_state_size(const dn_lstm* lstm, int32_t* out);

/// Starts a sequence.
/// @param values null for zeros, else c of each layer, then h of each layer
/// @param values_count 0 or twice the number of layers
/// @param state gets dn_lstm_state_size expressions: c of each layer, h of each layer, then room for the masks, which
/// the first dn_lstm_add_input draws for the batch of its input, one mask for each batch element
DN_API dn_status dn_lstm_initial_state(const dn_lstm* lstm, dn_graph* graph, const dn_expr* values,
                                       int32_t values_count, dn_expr* state, int32_t state_count);

/// Takes one step: a state and an input give the next state. The old state stays valid; states may branch.
/// @param x {input_dim}, or with a batch
/// @param next gets the new state; its output is the last layer's h
DN_API dn_status dn_lstm_add_input(const dn_lstm* lstm, dn_graph* graph, const dn_expr* state, int32_t state_count,
                                   dn_expr x, dn_expr* next, int32_t next_count);

// ---- operations: inputs ----

/// A tensor of given numbers, copied when recorded. New numbers may be set with dn_graph_set_input.
/// @param dim the shape, batch included
/// @param values column-major, as many as dim has elements
/// @returns dim
DN_API dn_status dn_op_input(dn_graph* graph, const dn_dim* dim, const float* values, int64_t values_count,
                             dn_expr* out);

/// A number. A new one may be set with dn_graph_set_input.
/// @op Input
/// @returns {1}
DN_API dn_status dn_op_input_scalar(dn_graph* graph, double value, dn_expr* out);

/// A tensor whose numbers are read from the caller's memory at each forward. Native callers only.
/// @op -
/// @param values column-major, as many as dim has elements; must stay readable while the graph uses it
/// @returns dim
DN_API dn_status dn_op_input_bound(dn_graph* graph, const dn_dim* dim, const float* values, dn_expr* out);

/// A tensor of one number, such as zeros or ones; it has no gradient.
/// @param dim the shape, batch included
/// @param value of every element
/// @returns dim
DN_API dn_status dn_op_constant(dn_graph* graph, const dn_dim* dim, double value, dn_expr* out);

/// A parameter as an expression. In one graph each parameter is one node, however often it is asked for.
/// @returns the parameter's shape
DN_API dn_status dn_op_parameter(dn_graph* graph, dn_parameter* parameter, dn_expr* out);

/// A parameter as an expression through which no gradient flows.
/// @returns the parameter's shape
DN_API dn_status dn_op_const_parameter(dn_graph* graph, dn_parameter* parameter, dn_expr* out);

/// A row of a lookup table.
/// @param index 0 to rows - 1
/// @returns the shape of one row
/// @throws DN_E_INDEX if there is no such row
DN_API dn_status dn_op_lookup(dn_graph* graph, dn_lookup_parameter* table, int32_t index, dn_expr* out);

/// Rows of a lookup table, one for each batch element.
/// @op Lookup
/// @param indices each 0 to rows - 1
/// @returns the shape of one row, with a batch of indices_count
/// @throws DN_E_INDEX if there is no such row
DN_API dn_status dn_op_lookup_batch(dn_graph* graph, dn_lookup_parameter* table, const int32_t* indices,
                                    int32_t indices_count, dn_expr* out);

/// A row of a lookup table, through which no gradient flows.
/// @param index 0 to rows - 1
/// @returns the shape of one row
/// @throws DN_E_INDEX if there is no such row
DN_API dn_status dn_op_const_lookup(dn_graph* graph, dn_lookup_parameter* table, int32_t index, dn_expr* out);

/// Rows of a lookup table, one for each batch element, through which no gradient flows.
/// @op ConstLookup
/// @param indices each 0 to rows - 1
/// @returns the shape of one row, with a batch of indices_count
/// @throws DN_E_INDEX if there is no such row
DN_API dn_status dn_op_const_lookup_batch(dn_graph* graph, dn_lookup_parameter* table, const int32_t* indices,
                                          int32_t indices_count, dn_expr* out);

/// A row of a lookup table whose index is read from the caller's memory at each forward. Native callers only.
/// @op -
/// @param index must stay readable while the graph uses it
/// @returns the shape of one row
/// @throws DN_E_INDEX at the forward, if there is no such row
DN_API dn_status dn_op_lookup_bound(dn_graph* graph, dn_lookup_parameter* table, const int32_t* index, dn_expr* out);

// ---- operations: arithmetic ----

/// The sum of two tensors, element by element. A dimension of size 1, the batch included, is broadcast.
/// @returns the larger size in each dimension
DN_API dn_status dn_op_add(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// The difference of two tensors, element by element. A dimension of size 1, the batch included, is broadcast.
/// @returns the larger size in each dimension
DN_API dn_status dn_op_subtract(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// The product of two tensors, element by element. A dimension of size 1, the batch included, is broadcast.
/// @op CMult
/// @returns the larger size in each dimension
DN_API dn_status dn_op_cmult(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// The quotient of two tensors, element by element. A dimension of size 1, the batch included, is broadcast.
/// @op CDiv
/// @returns the larger size in each dimension
DN_API dn_status dn_op_cdiv(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// Each element plus a number.
/// @op Add
/// @returns the shape of x
DN_API dn_status dn_op_add_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out);

/// Each element times a number.
/// @op Multiply
/// @returns the shape of x
DN_API dn_status dn_op_multiply_scalar(dn_graph* graph, dn_expr x, double scalar, dn_expr* out);

/// The matrix product. Where only one of the two has a batch, the other is used for each of its elements.
/// @param a {m, k}
/// @param b {k, n} or {k}
/// @returns {m, n} or {m}
DN_API dn_status dn_op_multiply(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// An affine transformation: b + W1 x1 + W2 x2 + ..., one node for all of it. If the next operation that is recorded is
/// its tanh, logistic or rectify, and nothing else that is recorded before they are computed uses it, the two are
/// computed as one, and its own value and gradient when they are asked for; not so where nodes are computed when they
/// are recorded, or where values are checked.
/// @param xs b {m} or {m, n}, then pairs of W {m, k} and x {k, n} or {k}; b {m} is added to each column
/// @returns {m, n} or {m}
DN_API dn_status dn_op_affine_transform(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

/// The sum of any number of tensors. A dimension of size 1, the batch included, is broadcast.
/// @param xs at least 1
/// @returns the largest size in each dimension
DN_API dn_status dn_op_sum(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

/// The mean of any number of tensors. A dimension of size 1, the batch included, is broadcast.
/// @param xs at least 1
/// @returns the largest size in each dimension
DN_API dn_status dn_op_average(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

// ---- operations: elementwise ----

/// Each element negated: y = -x.
/// @returns the shape of x
DN_API dn_status dn_op_negate(dn_graph* graph, dn_expr x, dn_expr* out);

/// The hyperbolic tangent of each element: y = tanh(x).
/// @returns the shape of x
DN_API dn_status dn_op_tanh(dn_graph* graph, dn_expr x, dn_expr* out);

/// The logistic function of each element: y = 1 / (1 + exp(-x)).
/// @returns the shape of x
DN_API dn_status dn_op_logistic(dn_graph* graph, dn_expr x, dn_expr* out);

/// The rectifier of each element: y = max(x, 0). Its derivative at 0 is 0.
/// @returns the shape of x
DN_API dn_status dn_op_rectify(dn_graph* graph, dn_expr x, dn_expr* out);

/// The exponential of each element: y = e^x.
/// @returns the shape of x
DN_API dn_status dn_op_exp(dn_graph* graph, dn_expr x, dn_expr* out);

/// The natural logarithm of each element: y = ln x. Of 0 it is minus infinity, of a negative number NaN.
/// @returns the shape of x
DN_API dn_status dn_op_log(dn_graph* graph, dn_expr x, dn_expr* out);

/// The square of each element: y = x^2.
/// @returns the shape of x
DN_API dn_status dn_op_square(dn_graph* graph, dn_expr x, dn_expr* out);

/// The square root of each element: y = sqrt(x). Its derivative at 0 is infinite.
/// @returns the shape of x
DN_API dn_status dn_op_sqrt(dn_graph* graph, dn_expr x, dn_expr* out);

/// Dropout: each element is 0 with the given probability, else divided by 1 - rate.
/// @param rate 0 or more, less than 1
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if rate is out of its range
DN_API dn_status dn_op_dropout(dn_graph* graph, dn_expr x, double rate, dn_expr* out);

// ---- operations: reductions ----

/// The sum of all elements, for each batch element.
/// @returns {1}, with the batch of x
DN_API dn_status dn_op_sum_elems(dn_graph* graph, dn_expr x, dn_expr* out);

/// The sum over the batch.
/// @returns the shape of x without its batch
DN_API dn_status dn_op_sum_batches(dn_graph* graph, dn_expr x, dn_expr* out);

/// The sum of the products of corresponding elements, for each batch element.
/// @param a any shape
/// @param b the shape of a; its batch may be broadcast
/// @returns {1}
DN_API dn_status dn_op_dot_product(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

/// The sum of the squared differences of corresponding elements, for each batch element.
/// @param a any shape
/// @param b the shape of a; its batch may be broadcast
/// @returns {1}
DN_API dn_status dn_op_squared_distance(dn_graph* graph, dn_expr a, dn_expr b, dn_expr* out);

// ---- operations: shapes ----

/// The same elements in another shape.
/// @param dim as many elements as x has; a batch of 1 in dim keeps the batch of x if the elements then fit
/// @returns dim
DN_API dn_status dn_op_reshape(dn_graph* graph, dn_expr x, const dn_dim* dim, dn_expr* out);

/// The transpose of a matrix.
/// @param x {m, n} or {m}
/// @returns {n, m} or {1, m}
DN_API dn_status dn_op_transpose(dn_graph* graph, dn_expr x, dn_expr* out);

/// The slice at one index of a dimension, which is removed.
/// @param x any shape
/// @param index 0 to the dimension's size - 1
/// @param dim which dimension
/// @default dim 0
/// @returns the shape of x without dim; {1} if x has one dimension
/// @throws DN_E_INDEX if there is no such slice
DN_API dn_status dn_op_pick(dn_graph* graph, dn_expr x, int32_t index, int32_t dim, dn_expr* out);

/// For each batch element the slice at its own index of a dimension, which is removed.
/// @op Pick
/// @param x any shape; a batch of 1 is broadcast
/// @param indices one for each batch element, each 0 to the dimension's size - 1
/// @param dim which dimension
/// @default dim 0
/// @returns the shape of x without dim, with a batch of indices_count
/// @throws DN_E_INDEX if there is no such slice
DN_API dn_status dn_op_pick_batch(dn_graph* graph, dn_expr x, const int32_t* indices, int32_t indices_count,
                                  int32_t dim, dn_expr* out);

/// The slices from `start` up to, not including, `end` of a dimension.
/// @param x any shape
/// @param start 0 or more
/// @param end more than start, at most the dimension's size
/// @param dim which dimension
/// @default dim 0
/// @returns the shape of x with end - start in dim
/// @throws DN_E_INDEX if there are no such slices
DN_API dn_status dn_op_pick_range(dn_graph* graph, dn_expr x, int32_t start, int32_t end, int32_t dim, dn_expr* out);

/// Tensors put one after the other in a dimension. A batch of 1 is broadcast.
/// @param xs at least 1; the same sizes in all other dimensions
/// @param dim which dimension
/// @default dim 0
/// @returns the sum of the sizes in dim
DN_API dn_status dn_op_concatenate(dn_graph* graph, const dn_expr* xs, int32_t xs_count, int32_t dim, dn_expr* out);

/// Columns put side by side: concatenation in dimension 1.
/// @param xs at least 1; the same number of rows
/// @returns {rows, sum of the columns}
DN_API dn_status dn_op_concatenate_cols(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

/// Tensors of one shape put into one batch.
/// @param xs at least 1, of one shape; each may have a batch of its own
/// @returns the shape of one, with the sum of the batches
DN_API dn_status dn_op_concatenate_to_batch(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

// ---- operations: probabilities and losses ----

/// The softmax along the columns: y_i = exp(x_i) / sum_j exp(x_j).
/// @param x {n} or {n, cols}
/// @param dim along which dimension, 0 or 1
/// @default dim 0
/// @returns the shape of x
DN_API dn_status dn_op_softmax(dn_graph* graph, dn_expr x, int32_t dim, dn_expr* out);

/// The logarithm of the softmax of each column: y_i = x_i - ln sum_j exp(x_j).
/// @param x {n} or {n, cols}
/// @returns the shape of x
DN_API dn_status dn_op_log_softmax(dn_graph* graph, dn_expr x, dn_expr* out);

/// The negative log likelihood of a label: ln sum_j exp(x_j) - x_index, for each batch element.
/// @param x {n}
/// @param index 0 to n - 1
/// @returns {1}
/// @throws DN_E_INDEX if there is no such label
DN_API dn_status dn_op_pick_neg_log_softmax(dn_graph* graph, dn_expr x, int32_t index, dn_expr* out);

/// The negative log likelihood of a label for each batch element.
/// @op PickNegLogSoftmax
/// @param x {n}; a batch of 1 is broadcast
/// @param indices one for each batch element, each 0 to n - 1
/// @returns {1}, with a batch of indices_count
/// @throws DN_E_INDEX if there is no such label
DN_API dn_status dn_op_pick_neg_log_softmax_batch(dn_graph* graph, dn_expr x, const int32_t* indices,
                                                  int32_t indices_count, dn_expr* out);

/// The binary cross entropy -(y ln x + (1 - y) ln(1 - x)), summed over the elements, for each batch element. Logarithms
/// are bounded below by that of the smallest normal float, so that x of 0 or 1 gives a finite loss, as in DyNet.
/// @param x probabilities, 0 to 1
/// @param y targets, 0 to 1, of the shape of x; its batch may be broadcast
/// @returns {1}
DN_API dn_status dn_op_binary_log_loss(dn_graph* graph, dn_expr x, dn_expr y, dn_expr* out);

/// The multi-class hinge loss: sum over j other than index of max(0, margin - x_index + x_j), for each batch element.
/// @param x {n}
/// @param index 0 to n - 1
/// @param margin 0 or more
/// @default margin 1
/// @returns {1}
/// @throws DN_E_INDEX if there is no such label
DN_API dn_status dn_op_hinge(dn_graph* graph, dn_expr x, int32_t index, double margin, dn_expr* out);

// ---- operations: cells ----

/// The gates of an LSTM cell, activated: [i; f; o] = logistic(b + Wx x + Wh h) with 1 added in f's part, g = tanh of
/// its part.
/// @param x {input}
/// @param h {n}
/// @param wx {4n, input}
/// @param wh {4n, n}
/// @param b {4n}
/// @returns {4n}, in the order i, f, o, g
DN_API dn_status dn_op_vanilla_lstm_gates(dn_graph* graph, dn_expr x, dn_expr h, dn_expr wx, dn_expr wh, dn_expr b,
                                          dn_expr* out);

/// The memory of an LSTM cell: c' = f * c + i * g.
/// @param c {n}
/// @param gates {4n}, as by dn_op_vanilla_lstm_gates
/// @returns {n}
DN_API dn_status dn_op_vanilla_lstm_c(dn_graph* graph, dn_expr c, dn_expr gates, dn_expr* out);

/// The output of an LSTM cell: h' = o * tanh(c').
/// @param c {n}, the new memory
/// @param gates {4n}, as by dn_op_vanilla_lstm_gates
/// @returns {n}
DN_API dn_status dn_op_vanilla_lstm_h(dn_graph* graph, dn_expr c, dn_expr gates, dn_expr* out);

/// The memory of a TreeLSTM cell with any number of children (Tai, Socher and Manning 2015):
/// c = logistic(i) * tanh(u) + sum over children k of logistic(f_k) * c_k. A leaf has no children.
/// @param xs the stacked inputs [i; o; u] {3n} before their activation, then for each child f_k {n} before its
/// activation and c_k {n}
/// @returns {n}
DN_API dn_status dn_op_tree_lstm_c(dn_graph* graph, const dn_expr* xs, int32_t xs_count, dn_expr* out);

/// The output of a TreeLSTM cell: h = logistic(o) * tanh(c).
/// @param iou the stacked inputs [i; o; u] {3n} before their activation
/// @param c {n}
/// @returns {n}
DN_API dn_status dn_op_tree_lstm_h(dn_graph* graph, dn_expr iou, dn_expr c, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_H_
