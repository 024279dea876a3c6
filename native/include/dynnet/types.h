// The types of the C ABI.
#ifndef DYNNET_DYNNET_TYPES_H_
#define DYNNET_DYNNET_TYPES_H_

#include <stdint.h>

#if defined(_WIN32)
#define DN_API __declspec(dllexport)
#else
#define DN_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

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
/// What a model had at a moment.
typedef struct dn_mark dn_mark;
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
  /// are a filter, with s = a * sqrt(6 / (h * w * (in + out))). a is the gain.
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
  DN_INIT_VALUES = 5,
  /// A random orthonormal matrix times a (Saxe, McClelland and Ganguli 2014), uniform among all (Haar): of an {m, n}
  /// matrix the columns, or the rows if n > m, are at right angles and of length a. A lookup table whose rows are
  /// vectors is the matrix whose columns are its rows. DyNet takes square matrices only.
  DN_INIT_SAXE = 6,
  /// Normal with mean 0 and standard deviation a * sqrt(2 / inputs) (He, Zhang, Ren and Sun 2015), which keeps the
  /// variance level through rectifiers. The inputs of a matrix {m, n} are n, of a vector {n} or of a lookup table's
  /// rows {n} they are n, of a filter {h, w, in, out} h * w * in; otherwise the elements over the first dimension.
  DN_INIT_HE_NORMAL = 7,
  /// Uniform on (-s, s), s = a * sqrt(6 / inputs), with the same variance as DN_INIT_HE_NORMAL.
  DN_INIT_HE_UNIFORM = 8,
  /// The values of the text file whose path is given: numbers divided by white space, column-major, as many as the
  /// parameter has elements.
  DN_INIT_FILE = 9
} dn_initializer_kind;

/// Which dimensions count in DN_INIT_GLOROT.
typedef enum dn_glorot_form {
  /// All of a parameter; of a lookup table those of a row, its number of rows not.
  DN_GLOROT_AUTO = 0,
  /// All but the last, which counts what is looked up: of a parameter of two dimensions or more, such as an embedding
  /// matrix whose columns are picked. The same as DN_GLOROT_AUTO for a lookup table.
  DN_GLOROT_LOOKUP = 1,
  /// All, of a lookup table its number of rows too, as if it were one tensor of at most 7 dimensions.
  DN_GLOROT_TENSOR = 2
} dn_glorot_form;

/// A description of first values; passed by pointer and read during the call only.
typedef struct dn_initializer {
  /// A dn_initializer_kind.
  int32_t kind;
  /// Of DN_INIT_GLOROT a dn_glorot_form, else 0.
  int32_t form;
  /// The first number of the kind.
  double a;
  /// The second number of the kind.
  double b;
  /// The values of DN_INIT_VALUES, else null.
  const float* values;
  /// The number of values.
  int64_t values_count;
  /// The path of DN_INIT_FILE, else null.
  const char* path;
  /// The path's length in bytes.
  int64_t path_length;
} dn_initializer;

/// Which average of the values a trainer keeps.
typedef enum dn_average_kind {
  /// None.
  DN_AVERAGE_NONE = 0,
  /// The mean of all values averaged so far.
  DN_AVERAGE_CUMULATIVE = 1,
  /// A mean in which older values weigh less and less.
  DN_AVERAGE_EXPONENTIAL = 2
} dn_average_kind;

/// What backward passes through an operation whose derivative is 0 wherever it has one.
typedef enum dn_gradient_mode {
  /// The derivative: a gradient of 0.
  DN_GRADIENT_ZERO = 0,
  /// The gradient as it is, straight through, as if the result were the operand (Bengio, Leonard and Courville 2013,
  /// arXiv:1308.3432).
  DN_GRADIENT_STRAIGHT_THROUGH = 1
} dn_gradient_mode;

/// How well the latest forward was batched.
typedef struct dn_batch_stats {
  /// Nodes computed, parameters and inputs not counted; of nodes that compute the same, one.
  int64_t nodes;
  /// Kernel batches that computed them.
  int64_t batches;
  /// Nodes that ran in a batch with at least one other.
  int64_t batched_nodes;
} dn_batch_stats;

/// What a comparison of gradients with differences found.
typedef struct dn_gradient_check {
  /// The elements compared.
  int64_t elements;
  /// Those that differ by more than is allowed.
  int64_t failed;
  /// Those of which nothing can be said: both numbers are smaller than what rounding explains.
  int64_t undecided;
  /// The largest difference relative to the larger of the two numbers, of those that rounding does not explain;
  /// infinite if a number was not finite.
  double worst;
} dn_gradient_check;

/// Writes bytes somewhere; called in order. Any status but DN_OK stops the writing.
typedef dn_status (*dn_write_callback)(void* context, const uint8_t* bytes, int64_t bytes_count);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_TYPES_H_
