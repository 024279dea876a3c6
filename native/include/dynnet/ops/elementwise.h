// Operations: functions of each element.
#ifndef DYNNET_DYNNET_OPS_ELEMENTWISE_H_
#define DYNNET_DYNNET_OPS_ELEMENTWISE_H_

#include "dynnet/types.h"

#ifdef __cplusplus
extern "C" {
#endif

/// Each element negated: y = -x.
/// @returns the shape of x
DN_API dn_status dn_op_negate(dn_graph* graph, dn_expr x, dn_expr* out);

/// The hyperbolic tangent of each element: y = tanh(x). The gradient, dy (1 - y^2), is taken from y, and so off by up
/// to 2e-7 dy: a thousandth of itself where x is 5 or -5, all of it from 9 on.
/// @returns the shape of x
DN_API dn_status dn_op_tanh(dn_graph* graph, dn_expr x, dn_expr* out);

/// The logistic function of each element: y = 1 / (1 + exp(-x)). The gradient, dy y (1 - y), is taken from y, and so
/// off by up to 2e-7 dy where x is more than 0: a thousandth of itself at 8.5, all of it from 17 on.
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

/// The absolute value of each element: y = |x|. Its derivative at 0 is 0.
/// @returns the shape of x
DN_API dn_status dn_op_abs(dn_graph* graph, dn_expr x, dn_expr* out);

/// The cube of each element: y = x^3.
/// @returns the shape of x
DN_API dn_status dn_op_cube(dn_graph* graph, dn_expr x, dn_expr* out);

/// The error function of each element: y = 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x.
/// @returns the shape of x
DN_API dn_status dn_op_erf(dn_graph* graph, dn_expr x, dn_expr* out);

/// The logarithm of the size of the gamma function of each element: y = ln |gamma(x)|. It is infinite at 0 and at
/// negative whole numbers, the poles; its derivative is the digamma function, which is infinite there, too. Below 0 the
/// value is a difference of two logarithms, and has as many digits as that leaves.
/// @op LGamma
/// @returns the shape of x
DN_API dn_status dn_op_lgamma(dn_graph* graph, dn_expr x, dn_expr* out);

/// The sine of each element, in radians: y = sin(x). Exact to the last digits for x of any size, NaN for infinite x.
/// @returns the shape of x
DN_API dn_status dn_op_sin(dn_graph* graph, dn_expr x, dn_expr* out);

/// The cosine of each element, in radians: y = cos(x). Exact to the last digits for x of any size, NaN for infinite x.
/// @returns the shape of x
DN_API dn_status dn_op_cos(dn_graph* graph, dn_expr x, dn_expr* out);

/// The tangent of each element, in radians: y = tan(x). Exact to the last digits for x of any size, NaN for infinite x.
/// @returns the shape of x
DN_API dn_status dn_op_tan(dn_graph* graph, dn_expr x, dn_expr* out);

/// The arcsine of each element, -pi/2 to pi/2: NaN where |x| is more than 1. Its derivative at 1 and -1 is infinite.
/// @returns the shape of x
DN_API dn_status dn_op_asin(dn_graph* graph, dn_expr x, dn_expr* out);

/// The arccosine of each element, 0 to pi: NaN where |x| is more than 1. Its derivative at 1 and -1 is minus infinity.
/// @returns the shape of x
DN_API dn_status dn_op_acos(dn_graph* graph, dn_expr x, dn_expr* out);

/// The arctangent of each element, -pi/2 to pi/2.
/// @returns the shape of x
DN_API dn_status dn_op_atan(dn_graph* graph, dn_expr x, dn_expr* out);

/// The hyperbolic sine of each element: y = (e^x - e^-x) / 2.
/// @returns the shape of x
DN_API dn_status dn_op_sinh(dn_graph* graph, dn_expr x, dn_expr* out);

/// The hyperbolic cosine of each element: y = (e^x + e^-x) / 2.
/// @returns the shape of x
DN_API dn_status dn_op_cosh(dn_graph* graph, dn_expr x, dn_expr* out);

/// The inverse hyperbolic sine of each element: y = ln(x + sqrt(x^2 + 1)).
/// @returns the shape of x
DN_API dn_status dn_op_asinh(dn_graph* graph, dn_expr x, dn_expr* out);

/// The inverse hyperbolic cosine of each element: y = ln(x + sqrt(x^2 - 1)), NaN where x is less than 1. Its derivative
/// at 1 is infinite.
/// @returns the shape of x
DN_API dn_status dn_op_acosh(dn_graph* graph, dn_expr x, dn_expr* out);

/// The inverse hyperbolic tangent of each element: y = ln((1 + x) / (1 - x)) / 2. It is infinite at 1 and -1, and NaN
/// beyond.
/// @returns the shape of x
DN_API dn_status dn_op_atanh(dn_graph* graph, dn_expr x, dn_expr* out);

/// The logarithm of the logistic function of each element: y = -ln(1 + e^-x), all digits kept for large and small x.
/// @returns the shape of x
DN_API dn_status dn_op_log_sigmoid(dn_graph* graph, dn_expr x, dn_expr* out);

/// The smooth rectifier of each element: y = ln(1 + e^x), all digits kept for large and small x.
/// @returns the shape of x
DN_API dn_status dn_op_softplus(dn_graph* graph, dn_expr x, dn_expr* out);

/// The exponential linear unit of each element (Clevert, Unterthiner and Hochreiter 2015): y = x where x > 0, else
/// alpha (e^x - 1). Its derivative at 0 is alpha.
/// @param alpha what y approaches below, negated
/// @default alpha 1
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `alpha` is not finite
DN_API dn_status dn_op_elu(dn_graph* graph, dn_expr x, double alpha, dn_expr* out);

/// The scaled exponential linear unit of each element (Klambauer et al. 2017): 1.0507009873554805 times the `dn_op_elu`
/// with an alpha of 1.6732632423543772.
/// @returns the shape of x
DN_API dn_status dn_op_selu(dn_graph* graph, dn_expr x, dn_expr* out);

/// The sigmoid linear unit of each element, with beta also called swish (Elfwing, Uchibe and Doya 2017; Ramachandran,
/// Zoph and Le 2017): y = x / (1 + e^(-beta x)). x is finite.
/// @param beta any number
/// @default beta 1
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `beta` is not finite
DN_API dn_status dn_op_silu(dn_graph* graph, dn_expr x, double beta, dn_expr* out);

/// The Gaussian error linear unit of each element (Hendrycks and Gimpel 2016), in its exact form: y = x times the
/// standard normal distribution function of x, which is x (1 + erf(x / sqrt(2))) / 2.
/// @returns the shape of x
DN_API dn_status dn_op_gelu(dn_graph* graph, dn_expr x, dn_expr* out);

/// The softsign of each element: y = x / (1 + |x|). x is finite.
/// @returns the shape of x
DN_API dn_status dn_op_softsign(dn_graph* graph, dn_expr x, dn_expr* out);

/// The leaky rectifier of each element (Maas, Hannun and Ng 2013): y = x where x > 0, else alpha x. Its derivative at 0
/// is alpha.
/// @param alpha the slope below 0
/// @default alpha 0.01
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `alpha` is not finite
DN_API dn_status dn_op_leaky_rectify(dn_graph* graph, dn_expr x, double alpha, dn_expr* out);

/// Each element, bounded by -1 and 1: y = max(-1, min(1, x)). Its derivative at the bounds is 0.
/// @returns the shape of x
DN_API dn_status dn_op_hard_tanh(dn_graph* graph, dn_expr x, dn_expr* out);

/// The largest whole number that is not larger than the element.
/// @param gradient_mode what backward passes on
/// @enum gradient_mode dn_gradient_mode
/// @default gradient_mode DN_GRADIENT_ZERO
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `gradient_mode` is no dn_gradient_mode
DN_API dn_status dn_op_floor(dn_graph* graph, dn_expr x, int32_t gradient_mode, dn_expr* out);

/// The smallest whole number that is not smaller than the element.
/// @param gradient_mode what backward passes on
/// @enum gradient_mode dn_gradient_mode
/// @default gradient_mode DN_GRADIENT_ZERO
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `gradient_mode` is no dn_gradient_mode
DN_API dn_status dn_op_ceil(dn_graph* graph, dn_expr x, int32_t gradient_mode, dn_expr* out);

/// The nearest whole number, halves away from 0, as in DyNet: 0.5 to 1, -0.5 to -1, 2.5 to 3.
/// @param gradient_mode what backward passes on
/// @enum gradient_mode dn_gradient_mode
/// @default gradient_mode DN_GRADIENT_ZERO
/// @returns the shape of x
/// @throws DN_E_ARGUMENT if `gradient_mode` is no dn_gradient_mode
DN_API dn_status dn_op_round(dn_graph* graph, dn_expr x, int32_t gradient_mode, dn_expr* out);

#ifdef __cplusplus
}  // extern "C"
#endif

#endif  // DYNNET_DYNNET_OPS_ELEMENTWISE_H_
