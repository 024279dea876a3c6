using System.Reflection;
using System.Text.RegularExpressions;
using static DynNet.Native.Ops;

namespace DynNet.Native.Benchmarks;

/// <summary>What <see cref="OpsBenchmark"/> measures.</summary>
internal static partial class OpsBenchmarkCases
{
    // Labels of columns of 256, and other lists.
    private static readonly int[] _some = [0, 3, 17, 40];
    private static readonly int[] _rows = [.. Enumerable.Range(0, 64).Reverse()];
    private static readonly int[] _stride = [1, 1];
    private static readonly int[] _window = [2, 2];

    /// <summary>Made of other operations, or of no node at all.</summary>
    public static readonly string[] Without =
        ["ToDevice", "VanillaLstmGatesConcat", "VanillaLstmGatesDropout", "VanillaLstmGatesDropoutConcat"];

    public static readonly OpBenchmark[] All =
    [
        new("zeros", "Zeros", o => o.Graph.Zeros([64, 256])),
        new("constant", "Constant", o => o.Graph.Constant([64, 256], 0.5)),
        new("random_normal", "RandomNormal", o => o.Graph.RandomNormal([64, 256]), Check: OpCheck.Moments),
        new("random_uniform", "RandomUniform", o => o.Graph.RandomUniform([64, 256], 0, 1), Check: OpCheck.Moments),
        new("random_bernoulli", "RandomBernoulli", o => o.Graph.RandomBernoulli([64, 256], 0.5), Check: OpCheck.Moments),
        new("random_gumbel", "RandomGumbel", o => o.Graph.RandomGumbel([64, 256]), Check: OpCheck.Moments),

        new("add", "Add", o => Add(o.X, o.X)),
        new("subtract", "Subtract", o => Subtract(o.X, o.X)),
        new("cmult", "CMult", o => CMult(o.X, o.X)),
        new("cdiv", "CDiv", o => CDiv(o.X, o.X)),
        new("pow", "Pow", o => Pow(o.X, o.Of([1]))),
        new("min", "Min", o => Min(o.X, o.X)),
        new("max", "Max", o => Max(o.X, o.X)),
        new("max_list", "Max", o => Max(o.X, o.X, o.X)),
        new("logsumexp", "LogSumExp", o => LogSumExp(o.X, o.X, o.X)),
        new("sum", "Sum", o => Sum(o.X, o.X, o.X)),
        new("average", "Average", o => Average(o.X, o.X, o.X)),
        new("add_scalar", "Add", o => Add(o.X, 2)),
        new("multiply_scalar", "Multiply", o => Multiply(o.X, 2)),
        new("divide_scalar", "CDiv", o => CDiv(o.X, 2)),
        new("divide_into_scalar", "DivideInto", o => DivideInto(o.X, 2)),
        new("subtract_from_scalar", "SubtractFrom", o => SubtractFrom(o.X, 2)),
        new("colwise_add", "ColwiseAdd", o => ColwiseAdd(o.X, o.Of([64]))),
        new("multiply", "Multiply", o => Multiply(o.Shared([64, 64]), o.Square)),
        new("affine_transform", "AffineTransform", o => AffineTransform(o.Shared([64]), o.Shared([64, 64]), o.Square)),

        // The other functions of each element are derived.
        new("lgamma", "LGamma", o => LGamma(o.X)),
        new("acosh", "Acosh", o => Acosh(o.Above1)),
        new("floor", "Floor", o => Floor(o.X, GradientMode.StraightThrough)),
        new("ceil", "Ceil", o => Ceil(o.X, GradientMode.StraightThrough)),
        new("round", "Round", o => Round(o.X, GradientMode.StraightThrough)),

        new("dropout", "Dropout", o => Dropout(o.X, 0.5), Check: OpCheck.Mask),
        new("dropout_dim", "DropoutDim", o => DropoutDim(o.X, 0, 0.5), Check: OpCheck.Mask),
        new("dropout_batch", "DropoutBatch", o => DropoutBatch(o.X, 0.5), Check: OpCheck.Mask),
        new("block_dropout", "BlockDropout", o => BlockDropout(o.X, 0.5), Check: OpCheck.Mask),
        new("noise", "Noise", o => Noise(o.X, 0.1), Check: OpCheck.Moments),

        new("sum_elems", "SumElems", o => SumElems(o.X)),
        new("sum_batches", "SumBatches", o => SumBatches(o.Batch)),
        new("sum_dim", "SumDim", o => SumDim(o.X, [1])),
        new("sum_rows", "SumRows", o => SumRows(o.X)),
        new("sum_cols", "SumCols", o => SumCols(o.X)),
        new("mean_elems", "MeanElems", o => MeanElems(o.X)),
        new("mean_batches", "MeanBatches", o => MeanBatches(o.Batch)),
        new("mean_dim", "MeanDim", o => MeanDim(o.X, [0])),
        new("moment_elems", "MomentElems", o => MomentElems(o.X, 2)),
        new("moment_batches", "MomentBatches", o => MomentBatches(o.Batch, 2)),
        new("moment_dim", "MomentDim", o => MomentDim(o.X, [0], 3)),
        new("std_elems", "StdElems", o => StdElems(o.X)),
        new("std_batches", "StdBatches", o => StdBatches(o.Batch)),
        new("std_dim", "StdDim", o => StdDim(o.X, [0])),
        new("average_cols", "AverageCols", o => AverageCols(o.X)),
        new("min_dim", "MinDim", o => MinDim(o.X)),
        new("max_dim", "MaxDim", o => MaxDim(o.X)),
        new("argmax", "ArgMax", o => ArgMax(o.X, GradientMode.StraightThrough)),
        new("l2_norm", "L2Norm", o => L2Norm(o.X)),
        new("squared_norm", "SquaredNorm", o => SquaredNorm(o.X)),
        new("logsumexp_dim", "LogSumExpDim", o => LogSumExpDim(o.X)),
        new("cumsum", "CumSum", o => CumSum(o.X)),
        new("dot_product", "DotProduct", o => DotProduct(o.X, o.X)),
        new("squared_distance", "SquaredDistance", o => SquaredDistance(o.X, o.X)),
        new("layer_norm", "LayerNorm", o => LayerNorm(o.Vector, o.Shared([16384]), o.Shared([16384]))),
        new("weight_norm", "WeightNorm", o => WeightNorm(o.X, o.Of([1]))),

        new("reshape", "Reshape", o => Reshape(o.X, [256, 64])),
        new("transpose", "Transpose", o => Transpose(o.X)),
        new("transpose_dims", "Transpose", o => Transpose(o.Of([16, 16, 64]), [2, 0, 1])),
        new("select_rows", "SelectRows", o => SelectRows(o.X, _rows)),
        new("select_cols", "SelectCols", o => SelectCols(o.X, _rows)),
        new("pick", "Pick", o => Pick(o.X, 3)),
        new("pick_batch", "Pick", o => Pick(o.Batch, [1, 2, 3, 4])),
        new("pick_range", "PickRange", o => PickRange(o.X, 16, 48)),
        new("pick_batch_elem", "PickBatchElem", o => PickBatchElem(o.Batch, 2)),
        new("pick_batch_elems", "PickBatchElems", o => PickBatchElems(o.Batch, [2, 0])),
        new("strided_select", "StridedSelect", o => StridedSelect(o.X, [2, 3])),
        new("concatenate", "Concatenate", o => Concatenate(o.X, o.X)),
        new("concatenate_cols", "ConcatenateCols", o => ConcatenateCols(o.X, o.X)),
        new("concatenate_to_batch", "ConcatenateToBatch", o => ConcatenateToBatch(o.X, o.X)),
        new("nobackprop", "NoBackprop", o => NoBackprop(o.X)),
        new("flip_gradient", "FlipGradient", o => FlipGradient(o.X)),
        new("scale_gradient", "ScaleGradient", o => ScaleGradient(o.X, 2)),

        new("softmax", "Softmax", o => Softmax(o.X)),
        new("log_softmax", "LogSoftmax", o => LogSoftmax(o.X)),
        new("log_softmax_restricted", "LogSoftmax", o => LogSoftmax(o.X, _some), Then: Exp),
        new("sparsemax", "Sparsemax", o => Sparsemax(o.X)),
        new("sparsemax_loss", "SparsemaxLoss", o => SparsemaxLoss(o.Vector, _some)),
        new("constrained_softmax", "ConstrainedSoftmax", o => ConstrainedSoftmax(o.Vector, o.Vector)),
        new("pick_neg_log_softmax", "PickNegLogSoftmax", o => PickNegLogSoftmax(o.Vector, 3)),
        new(
            "pick_neg_log_softmax_batch", "PickNegLogSoftmax",
            o => PickNegLogSoftmax(o.Batched([4096], 4), _some)),
        new("hinge", "Hinge", o => Hinge(o.Vector, 3)),
        new("hinge_batch", "Hinge", o => Hinge(o.Batched([4096], 4), _some)),
        new("hinge_dim", "HingeDim", o => HingeDim(o.Of([256, 64]), _rows)),
        new("binary_log_loss", "BinaryLogLoss", o => BinaryLogLoss(o.X, o.X)),
        new("l1_distance", "L1Distance", o => L1Distance(o.X, o.X)),
        new("huber_distance", "HuberDistance", o => HuberDistance(o.X, o.X)),
        new("pairwise_rank_loss", "PairwiseRankLoss", o => PairwiseRankLoss(o.X, o.X)),
        new("poisson_loss", "PoissonLoss", o => PoissonLoss(o.Batched([1], 16384), 3)),

        new("trace_of_product", "TraceOfProduct", o => TraceOfProduct(o.Square, o.Square)),
        new("inverse", "Inverse", o => Inverse(o.Square)),
        new("logdet", "LogDet", o => LogDet(o.Dominant)),
        new("contract3d_1d", "Contract3D1D", o => Contract3D1D(o.Shared([16, 16, 64]), o.Of([64]))),
        new(
            "contract3d_1d_bias", "Contract3D1D",
            o => Contract3D1D(o.Shared([16, 16, 64]), o.Of([64]), o.Shared([16, 16]))),
        new("contract3d_1d_1d", "Contract3D1D1D", o => Contract3D1D1D(o.Shared([16, 16, 64]), o.Of([64]), o.Of([16]))),
        new(
            "contract3d_1d_1d_bias", "Contract3D1D1D",
            o => Contract3D1D1D(o.Shared([16, 16, 64]), o.Of([64]), o.Of([16]), o.Shared([16]))),
        new("circ_conv", "CircConv", o => CircConv(o.Of([256]), o.Of([256]))),
        new("circ_corr", "CircCorr", o => CircCorr(o.Of([256]), o.Of([256]))),

        new("vanilla_lstm_gates", "VanillaLstmGates", o =>
            VanillaLstmGates(
                o.Batched([64], 64), o.Batched([64], 64), o.Shared([256, 64]), o.Shared([256, 64]), o.Shared([256]))),
        new("vanilla_lstm_c", "VanillaLstmC", o => VanillaLstmC(o.Of([4096]), o.Vector)),
        new("vanilla_lstm_h", "VanillaLstmH", o => VanillaLstmH(o.Of([4096]), o.Vector)),
        new("tree_lstm_c", "TreeLstmC", o =>
            TreeLstmC(o.Of([12288]), o.Of([4096]), o.Of([4096]), o.Of([4096]), o.Of([4096]))),
        new("tree_lstm_h", "TreeLstmH", o => TreeLstmH(o.Of([12288]), o.Of([4096]))),

        new("conv2d", "Conv2D", o => Conv2D(o.Of([32, 32, 16]), o.Shared([3, 3, 16, 16]), _stride)),
        new("conv2d_bias", "Conv2D", o =>
            Conv2D(o.Of([32, 32, 16]), o.Shared([3, 3, 16, 16]), o.Shared([16]), _stride)),
        new("maxpooling2d", "MaxPooling2D", o => MaxPooling2D(o.Of([32, 32, 16]), _window, _window)),
        new("filter1d_narrow", "Filter1DNarrow", o => Filter1DNarrow(o.X, o.Shared([64, 3, 16]))),
        new("kmax_pooling", "KMaxPooling", o => KMaxPooling(o.X, 4)),
        new("kmh_ngram", "KmhNgram", o => KmhNgram(o.X, 3)),
        new("fold_rows", "FoldRows", o => FoldRows(o.X)),
        new("scaled_dot_product_attention", "ScaledDotProductAttention", o =>
            ScaledDotProductAttention(o.Square, o.Square, o.Square)),
        new("scaled_dot_product_attention_masked", "ScaledDotProductAttention", o =>
            ScaledDotProductAttention(o.Square, o.Square, o.Square, o.Graph.Constant([64], 0))),
        new("multi_head_attention", "MultiHeadAttention", o => MultiHeadAttention(o.Square, o.Square, o.Square, 4)),
        new("multi_head_attention_masked", "MultiHeadAttention", o =>
            MultiHeadAttention(o.Square, o.Square, o.Square, o.Graph.Constant([64], 0), 4)),
        new("attention_weights", "AttentionWeights", o => AttentionWeights(o.Square, o.Square, 4)),
        new("attention_weights_masked", "AttentionWeights", o =>
            AttentionWeights(o.Square, o.Square, o.Graph.Constant([64], 0), 4)),
    ];

    /// <summary>
    /// Functions of one operand without a line of their own, on {64,256}: a new one of each element is measured at once.
    /// </summary>
    public static IEnumerable<OpBenchmark> Derived() =>
        from method in typeof(Ops).GetMethods(BindingFlags.Public | BindingFlags.Static)
        where method.ReturnType == typeof(Expression) && !Without.Contains(method.Name)
            && All.All(c => c.Method != method.Name)
        let parameters = method.GetParameters()
        where parameters is [{ } x, ..] && x.ParameterType == typeof(Expression) && parameters.Skip(1).All(p => p.HasDefaultValue)
        select new OpBenchmark(
            WordStart().Replace(method.Name, "_$0").ToLowerInvariant(), method.Name,
            o => (Expression)method.Invoke(null, [o.X, .. parameters.Skip(1).Select(p => p.DefaultValue)])!);

    [GeneratedRegex("(?<=[a-z0-9])[A-Z]")]
    private static partial Regex WordStart();
}
