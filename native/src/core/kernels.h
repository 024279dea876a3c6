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
/// contiguous; an operand that is broadcast in a loop has stride 0 there, which one of them is at most. In the
/// innermost loop the strides are 0 or 1. Loops are merged where strides allow, so the common case is one loop with
/// strides 1 and 1.
struct Broadcast {
  static constexpr int kMaxLoops = 8;
  int32_t loops = 1;
  int64_t size[kMaxLoops] = {1};
  int64_t a_stride[kMaxLoops] = {1};
  int64_t b_stride[kMaxLoops] = {1};
  /// Whether both operands are read as they lie.
  bool is_plain() const { return loops == 1 && a_stride[0] == 1 && b_stride[0] == 1; }
};

/// How the elements of one operand meet in a reduction: loops that are kept, one result for each of their elements, and
/// loops that are reduced. The operand is contiguous, and so are the results, in the order of the kept loops. Loops of
/// one kind that follow one another are merged, so the common case is one loop of each kind.
struct Reduction {
  static constexpr int kMaxLoops = 4;
  /// Elements beside one another that are kept; 1 if those beside one another are reduced.
  int64_t inner = 1;
  /// The innermost loop that is reduced: so many elements, `step` apart.
  int64_t run = 1;
  int64_t step = 1;
  /// All further loops, the innermost first.
  int32_t reduced_loops = 0;
  int32_t kept_loops = 0;
  int64_t reduced_size[kMaxLoops] = {};
  int64_t reduced_stride[kMaxLoops] = {};
  int64_t kept_size[kMaxLoops] = {};
  int64_t kept_stride[kMaxLoops] = {};
  /// How many elements make one result, and how many results there are.
  int64_t count = 1;
  int64_t results = 1;
};

/// Elements that move: nested loops over them, the innermost first, with the floats between neighbours on both sides.
/// Made by `make_moves` (ops/moves.h): sizes are more than 1 unless there is one loop, loops go by ascending strides of
/// `to`, except that the second is the one in which `from` is contiguous if that is not the first.
struct Moves {
  static constexpr int kMaxLoops = 8;
  int32_t loops = 1;
  int64_t size[kMaxLoops] = {1};
  int64_t to_stride[kMaxLoops] = {1};
  int64_t from_stride[kMaxLoops] = {1};
};

/// What two rows are reduced to: their product, or the sum over their differences that squared_distance, l1_distance or
/// huber_distance is.
enum class PairSum : int { kDot, kSquared, kL1, kHuber };

/// What random numbers are drawn from; a and b are the numbers of a row. Uniform on [a, b); a normal distribution of
/// mean a and standard deviation b; b with probability a, else 0; Gumbel's with location a and scale b.
enum class Distribution : int { kUniform, kNormal, kBernoulli, kGumbel };

/// The left operand of a product: element (i, j) is data[(i / 16) * strip + j * step + i % 16]. A column-major matrix
/// has strip 16 and step lda; a packed one has strip 16 * k and step 16, its last strip padded with zeros to 16 rows.
struct Left {
  const float* data = nullptr;
  int64_t strip = 16;
  int64_t step = 0;
  /// Whether whole strips of 16 rows may be read, the last one included.
  bool padded = false;
};

/// Images {h, w, channels} laid out for filters to slide over them: with padding, `top` rows and `left` columns before
/// the first, and `width` columns in all. In each column rows r, r + stride, r + 2 * stride and so on, the padding
/// included, lie one after the other, `lines` of them, so that a filter that moves by `stride` rows meets its next
/// place in the next float. There are such `phases` for r from 0 on, `stride` of them, or fewer where a filter of fewer
/// rows than the stride meets no others.
struct ImageLayout {
  int64_t h, w, channels;
  int64_t top, left;
  int64_t stride, phases, lines, width;
};

/// Filters of `taps` numbers each at `rows` by `columns` places of images that are laid out: at (i, j), tap k meets
/// element offsets[k] + step * j + i. The results of a filter are `pitch` floats behind those of the one before.
struct Sliding {
  int64_t taps, filters;
  int64_t rows, columns, step, pitch;
  const int64_t* offsets;
};

/// A window of fh by fw at oh by ow places of an image {h, w}: at (i, j) it begins at row i * sh - top and column
/// j * sw - left. Only what lies in the image counts, at least one element of each window.
struct Window {
  int64_t h, w;
  int64_t fh, fw, sh, sw;
  int64_t top, left;
  int64_t oh, ow;
};

/// The numbers of one Adam step; see dn_trainer_create_adam.
struct AdamStep {
  float beta1, beta2, epsilon;
  /// rate * sqrt(1 - beta2^t) / (1 - beta1^t)
  float rate;
  /// factor applied to the gradient first (clipping)
  float gradient_scale;
  /// factor applied to the value (weight decay)
  float decay;
  /// 1 - beta1 and 1 - beta2: rounded once, not the difference of what was rounded
  float rest1, rest2;
};

/// The numbers of one step with momentum; `push` is the factor of the velocity where it is added to the value.
struct MomentumStep {
  float rate, momentum, decay, push;
};

/// The numbers of one step whose rate adapts to the squares of the gradients. `rest` is what a new square weighs.
struct AdaptiveStep {
  float rho, rest, epsilon, rate, gradient_scale, decay;
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

  /// Both gradients at once where no operand is broadcast, n floats a row: as binary_backward of side 0, then side 1.
  /// The two have no memory in common.
  void (*binary_backward_both)(int op, Rows da, Rows db, Rows a, Rows b, Rows y, Rows dy, int64_t rows, int64_t n,
                               bool accumulate);

  // ---- of many operands, element by element; an operand is a row ----

  /// y = the largest of the rows, n floats.
  void (*max_rows)(float* y, Rows x, int64_t rows, int64_t n);
  /// d_i[j] (+)= dy[j] where row i is the last that has y[j], else 0; in ascending order of i.
  void (*max_rows_backward)(Rows d, Rows x, const float* y, const float* dy, int64_t rows, int64_t n, bool accumulate);
  /// y = ln sum over rows of exp x_i. Kept in z, of 2n floats, for backward: the largest m of the rows, then
  /// 1 / sum exp(x_i - m).
  void (*log_sum_exp_rows)(float* y, float* z, Rows x, int64_t rows, int64_t n);
  /// d_i[j] (+)= dy_i[j] exp(x_i[j] - z_i[j]) z_i[n + j]
  void (*log_sum_exp_rows_backward)(Rows d, Rows x, Rows z, Rows dy, int64_t rows, int64_t n, bool accumulate);

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
  /// For each row, to[j] = (or +=) from[k] over all elements of the loops. No two j are the same.
  void (*move)(Rows to, Rows from, const Moves& moves, int64_t rows, bool accumulate);
  /// For each row and each of its columns, of slices of `inner` floats: to[i + k * column] = from[indices[i] + m *
  /// column] for i < k. Row r has the k indices from `indices + r * k` on.
  void (*select)(Rows to, Rows from, const int32_t* indices, int64_t inner, int64_t k, int64_t m, int64_t columns,
                 int64_t rows);
  /// The other way: to[indices[i] + m * column] += from[i + k * column], in ascending order of i.
  void (*add_selected)(Rows to, Rows from, const int32_t* indices, int64_t inner, int64_t k, int64_t m, int64_t columns,
                       int64_t rows);

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
  /// The gradients of both rows through dot, squared_distance, l1_distance or huber_distance, whose bound is c: da_i
  /// (+)= g_i[0] b_i and db_i (+)= g_i[0] a_i, or da_i (+)= g_i[0] s and db_i (+)= -g_i[0] s with s = 2 d, sign(d) or d
  /// clipped to [-c, c], d = a_i - b_i. Either may have null base and list: not wanted. The two have no memory in
  /// common.
  void (*pair_sum_backward)(PairSum sum, Rows da, Rows db, Rows a, Rows b, Rows g, float c, int64_t rows, int64_t n,
                            bool accumulate);
  /// d_i (+)= g_i[0] * x_i
  void (*scale_by)(Rows d, Rows x, Rows g, int64_t rows, int64_t n, bool accumulate);
  /// d_i[j] (+)= g_i[0]
  void (*spread)(Rows d, Rows g, int64_t rows, int64_t n, bool accumulate);
  /// y (+)= sum over rows of x_i, in ascending order of i; y has n floats.
  void (*sum_rows)(float* y, Rows x, int64_t rows, int64_t n, bool accumulate);
  /// y = scale * the sum over rows of x_i, in ascending order of i; y has n floats.
  void (*scaled_sum_rows)(float* y, Rows x, float scale, int64_t rows, int64_t n);
  /// d_i (+)= scale * x for all rows, in ascending order of i; x has n floats.
  void (*add_to_rows)(Rows d, const float* x, float scale, int64_t rows, int64_t n, bool accumulate);

  // ---- reductions over some loops of each row ----

  /// y = sum x^order / divisor, order 1 or more.
  void (*moment)(Rows y, Rows x, int64_t rows, const Reduction& shape, int32_t order, float divisor);
  /// dx (+)= order x^(order - 1) dy / divisor
  void (*moment_backward)(Rows dx, Rows x, Rows dy, int64_t rows, const Reduction& shape, int32_t order, float divisor,
                          bool accumulate);
  /// y = sqrt(sum (x - mean)^2 / divisor), mean = sum x / divisor, kept less the first x if divisor is their number.
  void (*deviation)(Rows y, Rows mean, Rows x, int64_t rows, const Reduction& shape, float divisor);
  /// dx (+)= dy dy/dx; adds 0 where y is 0.
  void (*deviation_backward)(Rows dx, Rows x, Rows y, Rows mean, Rows dy, int64_t rows, const Reduction& shape,
                             float divisor, bool accumulate);
  /// y = the smallest or the largest x; there are no further reduced loops.
  void (*extreme)(bool smallest, Rows y, Rows x, int64_t rows, const Reduction& shape);
  /// dx (+)= dy for the first element that is y, 0 for the others.
  void (*extreme_backward)(bool smallest, Rows dx, Rows x, Rows y, Rows dy, int64_t rows, const Reduction& shape,
                           bool accumulate);
  /// y = ln sum exp x. It is kept in z as two numbers whose sum it is, first all the larger ones: the largest element,
  /// and the rest.
  void (*log_sum_exp)(Rows y, Rows z, Rows x, int64_t rows, const Reduction& shape);
  /// dx (+)= dy exp(x - y)
  void (*log_sum_exp_backward)(Rows dx, Rows x, Rows z, Rows dy, int64_t rows, const Reduction& shape, bool accumulate);
  /// y_i = 1 at the first of the largest elements of x_i, 0 elsewhere
  void (*argmax)(Rows y, Rows x, int64_t rows, int64_t n);
  /// For each row, seen as {inner, n, outer}: y (+)= the sums of x up to each element of the middle dimension, or, if
  /// `reverse`, from it.
  void (*cumulative_sum)(Rows y, Rows x, int64_t rows, int64_t inner, int64_t n, int64_t outer, bool reverse,
                         bool accumulate);

  // ---- norms and distances of rows ----

  /// y_i[0] = |x_i|
  void (*l2_norm)(Rows y, Rows x, int64_t rows, int64_t n);
  /// dx_i (+)= g_i[0] x_i / y_i[0], or 0 where y_i[0] is 0
  void (*l2_norm_backward)(Rows dx, Rows x, Rows y, Rows g, int64_t rows, int64_t n, bool accumulate);
  /// y_i = g_i[0] w_i / z_i[0], z_i[0] = |w_i|; 0 where that is 0
  void (*weight_norm)(Rows y, Rows z, Rows w, Rows g, int64_t rows, int64_t n);
  /// dw_i (+)= its gradient; dots_i[0] = w_i . dy_i
  void (*weight_norm_backward)(Rows dw, Rows w, Rows z, Rows g, Rows dots, Rows dy, int64_t rows, int64_t n,
                               bool accumulate);
  /// dg_i[0] (+)= dots_i[0] / z_i[0]
  void (*weight_norm_backward_g)(Rows dg, Rows dots, Rows z, int64_t rows, bool accumulate);
  /// y_i = g_i (x_i - mean) / (deviation + 1e-8) + b_i; z_i = [mean - x_i[0], deviation] of x_i
  void (*layer_norm)(Rows y, Rows z, Rows x, Rows g, Rows b, int64_t rows, int64_t n);
  /// dx_i (+)= its gradient. Where dg has a base or a list, it gets what layer_norm_backward_g gives, in the same pass;
  /// the two then have no memory in common.
  void (*layer_norm_backward)(Rows dx, bool accumulate, Rows dg, bool accumulate_g, Rows x, Rows z, Rows g, Rows dy,
                              int64_t rows, int64_t n);
  /// dg_i (+)= dy_i (x_i - mean) / (deviation + 1e-8)
  void (*layer_norm_backward_g)(Rows dg, Rows x, Rows z, Rows dy, int64_t rows, int64_t n, bool accumulate);
  /// y_i[0] = sum |a_i - b_i|
  void (*l1_distance)(Rows y, Rows a, Rows b, int64_t rows, int64_t n);
  /// y_i[0] = sum of d^2 / 2 where |d| <= c, else c |d| - c^2 / 2, d = a_i - b_i
  void (*huber_distance)(Rows y, Rows a, Rows b, float c, int64_t rows, int64_t n);
  /// y = max(0, margin - a + b)
  void (*rank_loss)(Rows y, Rows a, Rows b, float margin, int64_t rows, int64_t n);
  /// d (+)= factor dy where y is more than 0; factor -1 for the gradient of a, 1 for that of b
  void (*rank_loss_backward)(Rows d, Rows y, Rows dy, float factor, int64_t rows, int64_t n, bool accumulate);
  /// y = exp(x) - t_i x + constant_i; each row has one target t_i and one constant
  void (*poisson_loss)(Rows y, Rows x, const float* targets, const double* constants, int64_t rows, int64_t n);
  /// dx (+)= g (exp(x) - t_i)
  void (*poisson_loss_backward)(Rows dx, Rows x, Rows g, const float* targets, int64_t rows, int64_t n,
                                bool accumulate);

  // ---- probabilities and losses; a row is one distribution ----

  void (*softmax)(Rows y, Rows x, int64_t rows, int64_t n);
  /// dx (+)= y * (dy - sum(y dy))
  void (*softmax_backward)(Rows dx, Rows y, Rows dy, int64_t rows, int64_t n, bool accumulate);
  /// As softmax, along the second dimension of column-major {inner, n} blocks, of which each row of y and x is one.
  void (*softmax_across)(Rows y, Rows x, int64_t blocks, int64_t inner, int64_t n);
  void (*softmax_across_backward)(Rows dx, Rows y, Rows dy, int64_t blocks, int64_t inner, int64_t n, bool accumulate);
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
  /// The gradient with respect to x (side 0) or t (side 1), times g_i[0]. For side 0 the denominators are bounded
  /// below: x by the smallest normal float, and 1 - x, as a float near 1 has it, by 2^-23.
  void (*binary_log_loss_backward)(int side, Rows d, Rows x, Rows t, Rows g, int64_t rows, int64_t n, bool accumulate);
  /// y_i[0] = sum over j != label_i of max(0, margin_i - x_i[label_i] + x_i[j])
  void (*hinge)(Rows y, Rows x, const int32_t* labels, const float* margins, int64_t rows, int64_t n);
  void (*hinge_backward)(Rows dx, Rows x, Rows g, const int32_t* labels, const float* margins, int64_t rows, int64_t n,
                         bool accumulate);

  /// y = max(0, x - t) with t such that y adds up to 1
  void (*sparsemax)(Rows y, Rows x, int64_t rows, int64_t n);
  /// dx (+)= dy - the mean of dy, both over y > 0; else 0
  void (*sparsemax_backward)(Rows dx, Rows y, Rows dy, int64_t rows, int64_t n, bool accumulate);
  /// y_i[0] = (sum over p > 0 of (x^2 - t^2) + |q|^2) / 2 - q.x, 0 at least, p = sparsemax(x_i), q adding up to 1. The
  /// threshold t is kept in z_i as two floats whose sum it is: the largest element of x_i, and the rest.
  void (*sparsemax_loss)(Rows y, Rows z, Rows x, Rows q, int64_t rows, int64_t n);
  /// dx (+)= g_i[0] (p - q); q may be left out.
  void (*sparsemax_loss_backward)(Rows dx, Rows x, Rows z, Rows q, Rows g, int64_t rows, int64_t n, bool accumulate);
  /// y = min(u, exp(x) / z) with z such that y adds up to 1; u if that adds up to less than 1.
  void (*constrained_softmax)(Rows y, Rows x, Rows u, int64_t rows, int64_t n);
  /// With m = sum(y dy) / sum(y) over the elements that are not at their bounds: dx (+)= y (dy - m) for these, du (+)=
  /// dy - m for the others; else 0. Either may have null base and list: not wanted. The two have no memory in common.
  void (*constrained_softmax_backward)(Rows dx, Rows du, Rows y, Rows u, Rows dy, int64_t rows, int64_t n,
                                       bool accumulate);

  // ---- linear algebra ----

  /// y_i = the inverse of the column-major {n, n} matrix x_i; NaN throughout if that is singular. In double, in `work`,
  /// which has 2 n^2 + n of them.
  void (*inverse)(Rows y, Rows x, double* work, int64_t rows, int64_t n);
  /// y_i[0] = the logarithm of its determinant: minus infinity for 0, NaN below, and where x_i has a NaN.
  void (*logdet)(Rows y, Rows x, double* work, int64_t rows, int64_t n);
  /// y_i[k] (+)= sum over j of u_i[j] w_i[k + j], or w_i[n + k - j] where `backwards`; w has 2n floats.
  void (*circular)(Rows y, Rows u, Rows w, bool backwards, int64_t rows, int64_t n, bool accumulate);

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

  // ---- convolutions and pooling; each row is an image, or the results of one ----

  /// Lays images out; the padding is zeros. All of each row of `to` is written.
  void (*lay_out)(Rows to, Rows x, const ImageLayout& layout, int64_t rows);
  /// x (+)= the elements of an image that is laid out, without its padding
  void (*lay_back)(Rows x, Rows from, const ImageLayout& layout, int64_t rows, bool accumulate);
  /// y = bias + the sums over the taps, in ascending order, of filters o0 to o1. A row of f has all filters, a row of
  /// bias, which may have null base and list (0), one number for each.
  void (*convolve)(Rows y, Rows x, Rows f, Rows bias, const Sliding& sliding, int64_t o0, int64_t o1, int64_t rows);
  /// dx += the gradients through `convolve`; places outside of the sliding's get none.
  void (*convolve_back)(Rows dx, Rows dy, Rows f, const Sliding& sliding, int64_t rows);
  /// g (+)= the gradient of filters o0 to o1, summed over the rows in ascending order; g has all filters.
  void (*convolve_filters)(float* g, Rows x, Rows dy, const Sliding& sliding, int64_t o0, int64_t o1, int64_t rows,
                           bool accumulate);
  /// y = the largest element of each window, `where` its place in the image, row + h * column, of which there are at
  /// most 2^24; of equal ones that in the topmost row, and there the leftmost. NaN counts as larger than all numbers.
  /// `scratch` has 3 h floats.
  void (*max_pool)(Rows y, Rows where, Rows x, const Window& window, int64_t rows, float* scratch);
  /// dx += dy at the places that `max_pool` found
  void (*max_pool_backward)(Rows dx, Rows where, Rows dy, const Window& window, int64_t rows);
  /// As max_pool without the places, for windows of two by two that lie side by side, from the image's first element
  /// on.
  void (*max_pool_quads)(Rows y, Rows x, const Window& window, int64_t rows);
  /// dx += dy at the places that `max_pool` would find in x, whose results y are
  void (*max_pool_quads_backward)(Rows dx, Rows x, Rows y, Rows dy, const Window& window, int64_t rows);
  /// Of each row as {inner, size, outer}, y {inner, k, outer}: the k largest along the middle in order, the first of
  /// equal ones, and in `where` which they are. NaN counts as larger than all numbers. `scratch` has 16 min(k, 32)
  /// floats.
  void (*k_max)(Rows y, Rows where, Rows x, int64_t inner, int64_t size, int64_t k, int64_t outer, int64_t rows,
                float* scratch);
  /// dx += dy at the places that `k_max` found
  void (*k_max_backward)(Rows dx, Rows where, Rows dy, int64_t inner, int64_t size, int64_t k, int64_t outer,
                         int64_t rows);
  /// y_i[j] (+)= x_i[j] + x_i[j + step] + ..., so many terms, for n sums in each row
  void (*sum_steps)(Rows y, Rows x, int64_t step, int64_t terms, int64_t rows, int64_t n, bool accumulate);
  /// y_i[j] = x_i[j * group] + ... + x_i[j * group + group - 1], for n sums in each row
  void (*sum_groups)(Rows y, Rows x, int64_t group, int64_t rows, int64_t n);
  /// d_i[j * group] (+)= g_i[j], and so on for the group
  void (*spread_groups)(Rows d, Rows g, int64_t group, int64_t rows, int64_t n, bool accumulate);

  // ---- attention ----

  /// In place: the softmax of scale * s_i + mask_i over the first seen + i * more elements of row i, 0 for the others;
  /// all 0 where all of these are minus infinity, or there are none. NaN makes the first elements NaN. A row of `mask`
  /// has `masks` numbers, n or one for all elements; it may have null base and list (0).
  void (*attention_weights)(Rows s, Rows mask, int64_t masks, float scale, int64_t seen, int64_t more, int64_t rows,
                            int64_t n);
  /// The gradient of a softmax w some elements of which were dropped: ds_i = u_i dy_i - w_i (u_i . dy_i), u being w
  /// times the mask. ds may be dy.
  void (*dropped_softmax_backward)(Rows ds, Rows w, Rows u, Rows dy, int64_t rows, int64_t n);

  // ---- random numbers: counter-based (Philox 4x32-10; Salmon et al. 2011), a function of key and position only ----

  /// Uniform on [0, 1), 24 bits.
  void (*random_uniform)(float* to, int64_t n, uint64_t key);
  /// Standard normal.
  void (*random_normal)(float* to, int64_t n, uint64_t key);
  /// y_i[j] = a draw from the distribution with the numbers a_i and b_i; the draws of row i are those of key_i.
  void (*draw)(Distribution distribution, Rows y, const uint64_t* keys, const float* a, const float* b, int64_t rows,
               int64_t n);
  /// y_i[j] = x_i[j] + deviation_i z, z a standard normal draw of key_i.
  void (*add_noise)(Rows y, Rows x, const uint64_t* keys, const float* deviations, int64_t rows, int64_t n);
  /// mask_i[j] = 0 with probability rate_i, else 1 / (1 - rate_i); the draws of row i are those of key_i.
  void (*dropout_mask)(Rows mask, const uint64_t* keys, const float* rates, int64_t rows, int64_t n);

  // ---- training ----

  void (*adam)(float* w, const float* g, float* m, float* v, int64_t n, const AdamStep& step);
  /// Adam with the largest v so far, which is kept in `most`, in place of v.
  void (*amsgrad)(float* w, const float* g, float* m, float* v, float* most, int64_t n, const AdamStep& step);
  /// w = decay * w - rate * g
  void (*sgd)(float* w, const float* g, int64_t n, float rate, float decay);
  /// v = momentum * v - rate * g; w = decay * w + push * v
  void (*momentum_sgd)(float* w, const float* g, float* v, int64_t n, const MomentumStep& step);
  /// v = momentum * v - rate * g; w = decay * w + push * (momentum * v - rate * g)
  void (*nesterov)(float* w, const float* g, float* v, int64_t n, const MomentumStep& step);
  /// h = rho * h + rest * g^2; w = decay * w - rate * g / sqrt(h + epsilon)
  void (*rms_prop)(float* w, const float* g, float* h, int64_t n, const AdaptiveStep& step);
  /// h = rho * h + rest * g^2; d = g sqrt(e + epsilon) / sqrt(h + epsilon); e = rho * e + rest * d^2;
  /// w = decay * w - rate * d
  void (*adadelta)(float* w, const float* g, float* h, float* e, int64_t n, const AdaptiveStep& step);
  /// v = momentum * v - rate * g; w = w exp(v) / sum(w exp(v)). No w is negative, and at least one is more than 0.
  void (*exponentiated_gradient)(float* w, const float* g, float* v, int64_t n, float rate, float momentum);
  /// a += share * (x - a)
  void (*blend)(float* a, const float* x, int64_t n, float share);
  /// x = min(max(x, low), high), NaN stays; whether any x was outside.
  bool (*clip)(float* x, int64_t n, float low, float high);
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
