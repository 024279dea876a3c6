// What an operation is. Each is one constant of type OpDef, in a file of its family: its shape rule, forward, backward
// and properties in one place. The list of operations is generated from dynnet.h.
#ifndef DYNNET_OPS_OP_H_
#define DYNNET_OPS_OP_H_

#include <cstdint>
#include <string>
#include <vector>

#include "core/dim.h"
#include "core/error.h"
#include "core/kernels.h"
#include "ops/ops.g.h"

namespace dynnet {

#define DYNNET_OP_ENUM(name) name,
enum class Op : uint16_t { DYNNET_OPS(DYNNET_OP_ENUM) kCount };
#undef DYNNET_OP_ENUM

/// Whether the node is a parameter, trained or not.
inline bool is_parameter(Op op) { return op == Op::parameter || op == Op::const_parameter; }
/// Whether the node is a whole lookup table, trained or not.
inline bool is_whole_table(Op op) { return op == Op::lookup_table || op == Op::const_lookup_table; }

class Forward;
class Backward;
struct OpDef;

/// What of its nodes a batch computes. Where a node's first operands are ready long before its others, as the inputs of
/// a recurrent cell are before its state, their part is computed for all nodes of the type at once, and each node
/// completed when its turn comes. Backward runs the same parts the other way round.
enum class Stage : uint8_t { kWhole, kEarly, kLate };

/// What nodes have in common that can run in one kernel: the operation, the operands' shapes, the attributes that are
/// not a node's own, and which operands in weight positions are one and the same node. Interned per graph.
struct Type {
  /// Of an affine transformation with its activation that of the former; `def` is of both.
  Op op;
  const OpDef* def;
  /// The number of `dim` among the graph's shapes.
  uint32_t shape;
  Dim dim;
  /// Elements of a value, batch included.
  int64_t size;
  /// Floats that forward keeps for backward, for each node.
  int64_t aux = 0;
  std::vector<Dim> operands;
  /// For each operand, whether it is the same node for all nodes of the type.
  std::vector<uint8_t> shared;
  /// For each operand, whether its gradient is left to the end of a backward pass.
  std::vector<uint8_t> deferred;
  /// The attributes that belong to the type, in the order of dynnet.h.
  std::vector<uint32_t> statics;
  /// The number of indices that each node has.
  int64_t span_count = 0;
  /// Whether nodes have attributes of their own.
  bool has_data = false;
  /// Whether OpDef::early finds something where all operands are ready.
  bool may_be_early = false;
  /// Whether its nodes draw random numbers: those of OpDef::random, and where the shape rule says so.
  bool random = false;
  /// Of an affine transformation with its activation, the latter.
  Op activation = Op::kCount;
  /// The dn_parameter or dn_lookup_parameter, or null.
  void* object = nullptr;
  /// What the shape rule worked out for forward and backward.
  Broadcast broadcast;
  Reduction reduction;
  int64_t v[6] = {};

  float static_float(size_t i) const {
    float value;
    __builtin_memcpy(&value, &statics[i], sizeof value);
    return value;
  }
  /// A shape among the attributes, which must be the first: nd, bd, then the sizes.
  Dim static_dim() const;
  /// Whether operand i is the same for all batch elements of all nodes.
  bool is_one(size_t i) const { return shared[i] != 0 && operands[i].bd == 1; }
  int32_t static_int(size_t i) const { return static_cast<int32_t>(statics[i]); }
  /// A list among the attributes (OpDef::static_lists), whose count is attribute i; the next attribute follows its last
  /// number.
  std::vector<int32_t> static_list(size_t i) const;
};

/// A shape rule's view of a type that is being made: operands and attributes are set, `dim` is to be found.
class Shaping {
 public:
  explicit Shaping(Type& type) : type(type) {}
  Type& type;

  int count() const { return static_cast<int>(type.operands.size()); }
  const Dim& operator[](int i) const { return type.operands[i]; }
  const char* name() const;
  /// Reports shapes that do not fit: "<op>: <message>".
  [[noreturn]] [[gnu::format(printf, 2, 3)]] void mismatch(const char* format, ...) const;
  [[noreturn]] [[gnu::format(printf, 2, 3)]] void bad_argument(const char* format, ...) const;
};

/// A node's own attributes, checked when it is recorded.
struct Checking {
  const Type& type;
  const uint32_t* data;

  float number(int i) const {
    float value;
    __builtin_memcpy(&value, &data[i], sizeof value);
    return value;
  }
};

struct OpDef {
  const char* name;
  void (*shape)(Shaping&);
  /// Null where a node has its value from when it is recorded (parameters, inputs).
  void (*forward)(const Forward&) = nullptr;
  /// Null where no gradient flows to the operands.
  void (*backward)(const Backward&) = nullptr;
  void (*check)(const Checking&) = nullptr;
  /// Where the value is part of the operand's memory: the offset in floats from the first operand's value; or -1.
  int64_t (*view)(const Type&, const uint32_t* data) = nullptr;
  /// Bit i is set if attribute word i belongs to the node rather than to the type.
  uint32_t data_words = 0;
  /// Whether backward leaves the gradient of operand i, if it is shared, to the end of the pass (Backward::defer_*).
  /// Null if it never does.
  bool (*defers)(const Type&, int i) = nullptr;
  /// How much of a node can be computed from the operands whose bits are set in `ready`, in the operation's own units,
  /// which forward and backward are told again; 0 for nothing. Null if there is never an early stage. Of a sum, what is
  /// early must come first, so that the order of summation is the same in one stage or two.
  int (*early)(const Type&, uint32_t ready) = nullptr;
  /// Backward's late stage leaves to its early stage as many floats a node as the value has (Backward::carry).
  bool carries = false;
  /// Bit i is set if operand i is in a weight position; bits 30 and 31 stand for all further even and odd ones.
  uint32_t weights = 0;
  /// What the operation is together with an affine transformation that is its operand. Null if it stays its own.
  const OpDef* after_affine = nullptr;
  /// Of an affine transformation with an activation: the number of that (UnaryOp), else -1.
  int activation = -1;
  /// Nodes have a gradient of their own to give to the gradient set: parameters and lookups.
  bool trained = false;
  /// Lists of numbers, such as dimensions, belong to the type: at most DN_MAX_DIMS in each. Else they are indices, the
  /// node's own, of which only the count is the type's.
  bool static_lists = false;
  /// Such lists may have one number more, for the batch.
  bool lists_name_batch = false;
  /// Draws random numbers, whatever the attributes.
  bool random = false;
  /// A node's own attributes begin with one index, which may be set anew.
  bool indexed = false;

  bool is_weight(int i) const { return (weights >> (i < 32 ? i : 30 + (i & 1)) & 1) != 0; }
};

#define DYNNET_OP_EXTERN(name) extern const OpDef op_##name;
DYNNET_OPS(DYNNET_OP_EXTERN)
#undef DYNNET_OP_EXTERN

// An affine transformation and its activation as one: what recording makes of the two (Graph::fold).
extern const OpDef op_affine_tanh;
extern const OpDef op_affine_logistic;
extern const OpDef op_affine_rectify;

extern const OpDef* const op_defs[];
inline const OpDef& op_def(Op op) { return *op_defs[static_cast<size_t>(op)]; }

// Shape rules that several operations share.

/// The shape of the first operand.
void same_shape(Shaping& s);
/// The shape among the attributes, which must be the first.
void static_shape(Shaping& s);
/// Throws if a gradient mode is neither 0 (zero) nor 1 (straight through).
void check_gradient_mode(const Shaping& s, int32_t mode);
/// The shape of the first operand, a vector or matrix.
void matrix_shape(Shaping& s);
/// The shape of two vectors of one size up to a broadcast batch.
void vectors_shape(Shaping& s);
/// Two operands of one shape up to a broadcast batch, reduced to one element for each batch element.
void pair_to_scalar(Shaping& s);

/// A dimension among the attributes; throws if no shape has it.
int checked_dimension(const Shaping& s, int32_t dim);
// Checks of a node's own attribute i, which messages call `what`.

void check_finite(const Checking& c, int i, const char* what);
void check_not_negative(const Checking& c, int i, const char* what);

/// The larger of two batches, of which one may be 1; throws otherwise.
uint32_t common_batch(const Shaping& s, uint32_t a, uint32_t b);

}  // namespace dynnet

#endif  // DYNNET_OPS_OP_H_
