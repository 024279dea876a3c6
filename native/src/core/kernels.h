// The kernel interface: what a device must be able to compute. Operations are written against it once; each device, and
// each instruction set of a CPU, fills in one table.
//
// All kernels are deterministic: the value of an output element depends on its inputs and on the sizes of one row only,
// never on how many rows run together, on alignment, or on how a caller splits rows between threads. That is why
// batched and unbatched values are the same bits. C++17 and free of the standard library's containers, since files
// compiled for an instruction set and CUDA files include it.
#ifndef DYNNET_CORE_KERNELS_H_
#define DYNNET_CORE_KERNELS_H_

#include <stdint.h>

namespace dynnet {

/// One operand of a batch: a row of floats for each node. Rows are evenly spaced, or given by a list of pointers.
struct Rows {
  float* base = nullptr;
  float* const* list = nullptr;
  /// Floats between rows where there is no list; 0 repeats one row.
  int64_t stride = 0;

  float* at(int64_t i) const { return list != nullptr ? list[i] : base + i * stride; }
  /// The rows from `first` on.
  Rows from(int64_t first) const {
    return list != nullptr ? Rows{nullptr, list + first, 0} : Rows{base + first * stride, nullptr, stride};
  }
  /// Whether `rows` rows of n floats lie one after the other.
  bool dense(int64_t rows, int64_t n) const { return list == nullptr && (stride == n || rows == 1); }
};

/// How the elements of two operands meet in an elementwise operation: nested loops, the innermost first. The result is
/// contiguous; an operand that is broadcast in a loop has stride 0 there. Loops are merged where strides allow, so the
/// common case is one loop with strides 1 and 1.
struct Broadcast {
  static constexpr int kMaxLoops = 8;
  int32_t loops = 1;
  int64_t size[kMaxLoops] = {1};
  int64_t a_stride[kMaxLoops] = {1};
  int64_t b_stride[kMaxLoops] = {1};
};

/// The left operand of a product: element (i, j) is data[(i / 16) * strip + j * step + i % 16]. A column-major matrix
/// has strip 16 and step lda; a packed one has strip 16 * k and step 16, its last strip padded with zeros to 16 rows.
struct Left {
  const float* data = nullptr;
  int64_t strip = 16;
  int64_t step = 0;
  /// Whether whole strips of 16 rows may be read, the last one included.
  bool padded = false;
};

/// The numbers of one Adam step; see dn_trainer_create_adam.
struct AdamStep {
  float beta1, beta2, epsilon;
  /// rate * sqrt(1 - beta2^t) / (1 - beta1^t)
  float rate;
  /// factor applied to the gradient first (clipping)
  float gradient_scale;
  /// factor applied to the value first (weight decay), 1 - lambda
  float decay;
};

struct Kernels {
  /// "v2", "v3", "v4" or "portable".
  const char* name;

  // ---- elementwise; the operations and their numbers are in ops/elementwise.h ----

  /// y_i = f(x_i). `scalars` has the attribute of each row, or is null if the operation has none.
  void (*unary_forward)(int op, Rows y, Rows x, const float* scalars, int64_t rows, int64_t n);
  /// dx_i (+)= f'(x_i, y_i) dy_i; adds if `accumulate`.
  void (*unary_backward)(int op, Rows dx, Rows x, Rows y, Rows dy, const float* scalars, int64_t rows, int64_t n,
                         bool accumulate);
  /// y = f(a, b)
  void (*binary_forward)(int op, Rows y, Rows a, Rows b, int64_t rows, const Broadcast& broadcast);
  /// The gradient of one side (0: a, 1: b), summed over the loops in which that side is broadcast. With accumulate
  /// false, the first contribution to an element overwrites; `d_size` is the number of elements of that side.
  void (*binary_backward)(int op, int side, Rows d, Rows a, Rows b, Rows y, Rows dy, int64_t rows,
                          const Broadcast& broadcast, int64_t d_size, bool accumulate);

  // ---- moving ----

  void (*copy)(Rows to, Rows from, int64_t rows, int64_t n);
  /// to += scale * from
  void (*add)(Rows to, Rows from, float scale, int64_t rows, int64_t n);
  void (*fill)(Rows to, float value, int64_t rows, int64_t n);
  /// For each row, `blocks` blocks of `length` floats: to[b * to_step + j] = (or +=) from[b * from_step + j].
  void (*copy_blocks)(Rows to, int64_t to_step, Rows from, int64_t from_step, int64_t blocks, int64_t length,
                      int64_t rows, bool accumulate);
  /// For each row, the transpose of a column-major {m, n} matrix: to[j + n * i] = (or +=) from[i + m * j].
  void (*transpose)(Rows to, Rows from, int64_t m, int64_t n, int64_t rows, bool accumulate);

  // ---- products; each output element is one sum over k in ascending order, from a start of 0 or of the bias ----

  /// For each of n columns: y_j (+)= bias + A x_j, A {m, k}, x_j k floats, y_j m floats. `bias` may be null (0), and
  /// has m floats, one vector for all columns.
  void (*product)(int64_t m, int64_t n, int64_t k, Left a, Rows x, Rows y, const float* bias, bool accumulate);
  /// For each of n columns: y_j (+)= A^T d_j, A column-major {m, k} with leading dimension lda, d_j m floats, y_j k
  /// floats. For a few columns; for many, pack the transpose and use `product`. The order of summation may differ from
  /// that.
  void (*product_transposed)(int64_t m, int64_t n, int64_t k, const float* a, int64_t lda, Rows d, Rows y,
                             bool accumulate);
  /// G (+)= sum over n of d_i x_i^T, G column-major with k columns and leading dimension ldg; rows r0 to r1 of G only.
  /// The order of summation is ascending i.
  void (*outer_sum)(int64_t r0, int64_t r1, int64_t n, int64_t k, Rows d, Rows x, float* g, int64_t ldg,
                    bool accumulate);
  /// Packs a column-major {m, k} matrix into strips (see Left): ceil(m / 16) * 16 * k floats, 64-byte aligned.
  void (*pack)(int64_t m, int64_t k, const float* a, int64_t lda, float* to);
  /// Packs the transpose of a column-major {m, k} matrix: ceil(k / 16) * 16 * m floats, 64-byte aligned.
  void (*pack_transposed)(int64_t m, int64_t k, const float* a, int64_t lda, float* to);

  // ---- reductions ----

  /// y_i[0] = sum of row i
  void (*sum_elements)(Rows y, Rows x, int64_t rows, int64_t n);
  /// y_i[0] = a_i . b_i
  void (*dot)(Rows y, Rows a, Rows b, int64_t rows, int64_t n);
  /// y_i[0] = |a_i - b_i|^2
  void (*squared_distance)(Rows y, Rows a, Rows b, int64_t rows, int64_t n);
  /// d_i (+)= factor * g_i[0] * (a_i - b_i); the gradient of squared_distance with respect to a has factor 2, to b -2.
  void (*squared_distance_backward)(Rows d, Rows a, Rows b, Rows g, float factor, int64_t rows, int64_t n,
                                    bool accumulate);
  /// d_i (+)= g_i[0] * x_i
  void (*scale_by)(Rows d, Rows x, Rows g, int64_t rows, int64_t n, bool accumulate);
  /// d_i[j] (+)= g_i[0]
  void (*spread)(Rows d, Rows g, int64_t rows, int64_t n, bool accumulate);
  /// y (+)= sum over rows of x_i, in ascending order of i; y has n floats.
  void (*sum_rows)(float* y, Rows x, int64_t rows, int64_t n, bool accumulate);

  // ---- probabilities and losses; a row is one distribution ----

  void (*softmax)(Rows y, Rows x, int64_t rows, int64_t n);
  /// dx (+)= y * (dy - sum(y dy))
  void (*softmax_backward)(Rows dx, Rows y, Rows dy, int64_t rows, int64_t n, bool accumulate);
  void (*log_softmax)(Rows y, Rows x, int64_t rows, int64_t n);
  /// dx (+)= dy - exp(y) sum(dy)
  void (*log_softmax_backward)(Rows dx, Rows y, Rows dy, int64_t rows, int64_t n, bool accumulate);
  /// y_i[0] = ln sum exp x_i - x_i[label_i]. The logarithm is kept in z_i as two floats whose sum it is: the largest
  /// element of x_i, and the rest.
  void (*pick_neg_log_softmax)(Rows y, Rows z, Rows x, const int32_t* labels, int64_t rows, int64_t n);
  /// dx_i (+)= g_i[0] (exp(x_i - z_i[0] - z_i[1]) - [j = label_i])
  void (*pick_neg_log_softmax_backward)(Rows dx, Rows x, Rows z, Rows g, const int32_t* labels, int64_t rows, int64_t n,
                                        bool accumulate);
  /// y_i[0] = -sum(t ln x + (1 - t) ln(1 - x)), logarithms bounded below by ln of the smallest normal float
  void (*binary_log_loss)(Rows y, Rows x, Rows t, int64_t rows, int64_t n);
  /// The gradient with respect to x (side 0) or t (side 1), times g_i[0]. Where a logarithm is at its bound its
  /// derivative is taken at the bound's argument: ln(max(x, min)) has derivative 1 / max(x, min).
  void (*binary_log_loss_backward)(int side, Rows d, Rows x, Rows t, Rows g, int64_t rows, int64_t n, bool accumulate);
  /// y_i[0] = sum over j != label_i of max(0, margin_i - x_i[label_i] + x_i[j])
  void (*hinge)(Rows y, Rows x, const int32_t* labels, const float* margins, int64_t rows, int64_t n);
  void (*hinge_backward)(Rows dx, Rows x, Rows g, const int32_t* labels, const float* margins, int64_t rows, int64_t n,
                         bool accumulate);

  // ---- cells; see the dn_op of the same name for the formulas ----

  /// Activates the 4n pre-activations of each row in place: logistic(i), logistic(f + 1), logistic(o), tanh(g).
  void (*lstm_gates)(Rows y, int64_t rows, int64_t n);
  /// d (=) the gradient of the pre-activations from the activated gates y and their gradient dy.
  void (*lstm_gates_backward)(Rows d, Rows y, Rows dy, int64_t rows, int64_t n);
  /// y = f * c + i * g
  void (*lstm_c)(Rows y, Rows c, Rows gates, int64_t rows, int64_t n);
  /// dc (+)= dy * f (null base and list: not wanted); dgates (+)= [dy * g; dy * c; 0; dy * i] (likewise).
  void (*lstm_c_backward)(Rows dc, bool accumulate_c, Rows dgates, bool accumulate_gates, Rows c, Rows gates, Rows dy,
                          int64_t rows, int64_t n);
  /// t = tanh(c), y = o * t
  void (*lstm_h)(Rows y, Rows t, Rows c, Rows gates, int64_t rows, int64_t n);
  /// dc (+)= dy * o * (1 - t^2); dgates (+)= [0; 0; dy * t; 0]
  void (*lstm_h_backward)(Rows dc, bool accumulate_c, Rows dgates, bool accumulate_gates, Rows t, Rows gates, Rows dy,
                          int64_t rows, int64_t n);
  /// s = [logistic(i); tanh(u)], y = their product, iou = [i; o; u]: the part of a TreeLSTM's memory that has no child.
  void (*tree_leaf_c)(Rows y, Rows s, Rows iou, int64_t rows, int64_t n);
  /// s = logistic(f), y += s * c: one child's part.
  void (*tree_child_c)(Rows y, Rows s, Rows f, Rows c, int64_t rows, int64_t n);
  /// diou (+)= the gradient through tree_leaf_c (0 for o)
  void (*tree_leaf_c_backward)(Rows diou, bool accumulate, Rows s, Rows dy, int64_t rows, int64_t n);
  /// df (+)=, dc (+)= the gradients through tree_child_c; either may have null base and list: not wanted.
  void (*tree_child_c_backward)(Rows df, bool accumulate_f, Rows dc, bool accumulate_c, Rows s, Rows c, Rows dy,
                                int64_t rows, int64_t n);
  /// s = [logistic(o); tanh(c)], y = their product
  void (*tree_h)(Rows y, Rows s, Rows iou, Rows c, int64_t rows, int64_t n);
  void (*tree_h_backward)(Rows diou, bool accumulate_iou, Rows dc, bool accumulate_c, Rows s, Rows dy, int64_t rows,
                          int64_t n);

  // ---- random numbers: counter-based (Philox 4x32-10; Salmon et al. 2011), a function of key and position only ----

  /// Uniform on [0, 1), 24 bits.
  void (*random_uniform)(float* to, int64_t n, uint64_t key);
  /// Standard normal.
  void (*random_normal)(float* to, int64_t n, uint64_t key);
  /// mask_i[j] = 0 with probability rate_i, else 1 / (1 - rate_i); the draws of row i are those of key_i.
  void (*dropout_mask)(Rows mask, const uint64_t* keys, const float* rates, int64_t rows, int64_t n);

  // ---- training ----

  void (*adam)(float* w, const float* g, float* m, float* v, int64_t n, const AdamStep& step);
  /// w = decay * w - rate * g
  void (*sgd)(float* w, const float* g, int64_t n, float rate, float decay);
  /// v = momentum * v - rate * g; w = decay * w + v
  void (*momentum_sgd)(float* w, const float* g, float* v, int64_t n, float rate, float momentum, float decay);
  /// The sum of the squares of n floats, in double.
  double (*sum_squares)(const float* x, int64_t n);
  /// The index of the first NaN or infinity, or -1.
  int64_t (*find_nonfinite)(const float* x, int64_t n);
};

/// The table for this processor, chosen once: the best instruction set it has, or the one named by DYNNET_ISA. Throws
/// DN_E_DEVICE if that is not to be had.
const Kernels& kernels();

}  // namespace dynnet

#endif  // DYNNET_CORE_KERNELS_H_
