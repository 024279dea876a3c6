using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

// What operations refuse.
internal static partial class OpCases
{
    /// <summary>Wrong calls, and what is then thrown.</summary>
    internal static IEnumerable<OpMisuse> Wrong =>
    [
        new("Input(Dim,floats)", g => g.Input([2, 2], [1, 2, 3]), typeof(ShapeMismatchException), "{2,2}"),
        new("Input(floats)", g => g.Input(ReadOnlySpan<float>.Empty), typeof(ArgumentException), "at least one"),
        new(
            "Input(Dim,ints,floats,double)",
            g => g.Input([2, 2], [4], [1]), typeof(ArgumentOutOfRangeException), "4", "{2,2}"),
        new("Input(Dim,ints,floats,double)", g => g.Input([2, 2], [0], [1, 2]), typeof(ArgumentException), "1", "2"),
        new("OneHot(int,int)", g => g.OneHot(3, 3), typeof(ArgumentOutOfRangeException), "3"),
        new("OneHot(int,int)", g => g.OneHot(0, 0), typeof(ArgumentException), "size of 0"),
        new("OneHot(int,ints)", g => g.OneHot(3, [0, -1]), typeof(ArgumentOutOfRangeException), "-1"),
        new("OneHot(int,ints)", g => g.OneHot(3, []), typeof(ArgumentException), "no indices"),
        new("RandomNormal(Dim,double,double)", g => g.RandomNormal([2], 0, -1), typeof(ArgumentException), "-1"),
        new("RandomUniform(Dim,double,double)", g => g.RandomUniform([2], 1, 0), typeof(ArgumentException), "1", "0"),
        new("RandomBernoulli(Dim,double,double)", g => g.RandomBernoulli([2], 2), typeof(ArgumentException), "2"),
        new("RandomGumbel(Dim,double,double)", g => g.RandomGumbel([2], 0, -1), typeof(ArgumentException), "-1"),
        new("Lookup(LookupParameter,int)", g => g.Lookup(Table(), 2), typeof(ArgumentOutOfRangeException), "2"),
        new("Lookup(LookupParameter,ints)", g => g.Lookup(Table(), [0, 7]), typeof(ArgumentOutOfRangeException), "7"),
        new("Lookup(LookupParameter,ints)", g => g.Lookup(Table(), []), typeof(ArgumentException), "no indices"),
        new(
            "ConstLookup(LookupParameter,ints)",
            g => g.ConstLookup(Table(), []), typeof(ArgumentException), "no indices"),
        new(
            "ConstLookup(LookupParameter,int)",
            g => g.ConstLookup(Table(), -1), typeof(ArgumentOutOfRangeException), "-1"),
        new(
            "ConstLookup(LookupParameter,ints)",
            g => g.ConstLookup(Table(), [9]), typeof(ArgumentOutOfRangeException), "9"),

        Shape("Add(Expression,Expression)", g => Add(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape("Subtract(Expression,Expression)", g => Subtract(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape("CMult(Expression,Expression)", g => CMult(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape("CDiv(Expression,Expression)", g => CDiv(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape("Pow(Expression,Expression)", g => Pow(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape("Min(Expression,Expression)", g => Min(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape("Max(Expression,Expression)", g => Max(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape("Add(Expression,Expression)", g => Add(B(g, 2), B(g, 3)), "X2", "X3"),
        Shape("Multiply(Expression,Expression)", g => Multiply(M(g), V(g, 1, 2)), "{2,3}", "{2}"),
        Shape("Multiply(Expression,Expression)", g => Multiply(B(g, 2), Transpose(B(g, 3))), "2", "3"),
        Shape("AffineTransform(expressions)", g => AffineTransform(V(g, 1, 2), M(g), V(g, 1, 2)), "{2,3}", "{2}"),
        Shape("AffineTransform(expressions)", g => AffineTransform(V(g, 1, 2, 3), M(g), V(g, 1, 2, 3)), "{3}"),
        new(
            "AffineTransform(expressions)", g => AffineTransform(V(g, 1, 2), M(g)), typeof(ArgumentException), ""),
        Shape("Sum(expressions)", g => Sum(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        new("Sum(expressions)", _ => Sum([]), typeof(ArgumentException), "at least one"),
        Shape("Average(expressions)", g => Average(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        new("Average(expressions)", _ => Average([]), typeof(ArgumentException), "at least one"),
        Shape("Max(expressions)", g => Max(V(g, 1, 2), V(g, 1, 2, 3), V(g, 1)), "{2}", "{3}"),
        new("Max(expressions)", _ => Max([]), typeof(ArgumentException), "at least one"),
        Shape("LogSumExp(expressions)", g => LogSumExp(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        new("LogSumExp(expressions)", _ => LogSumExp([]), typeof(ArgumentException), "at least one"),
        Shape("ColwiseAdd(Expression,Expression)", g => ColwiseAdd(M(g), V(g, 1, 2, 3)), "{2,3}", "{3}"),

        new("Floor(Expression,GradientMode)", g => Floor(V(g, 1), (GradientMode)2), typeof(ArgumentException), "gradient mode 2"),
        new("Ceil(Expression,GradientMode)", g => Ceil(V(g, 1), (GradientMode)(-1)), typeof(ArgumentException), "gradient mode -1"),
        new("Round(Expression,GradientMode)", g => Round(V(g, 1), (GradientMode)7), typeof(ArgumentException), "gradient mode 7"),
        new("Elu(Expression,double)", g => Elu(V(g, 1), double.NaN), typeof(ArgumentException), "a factor"),
        new("Silu(Expression,double)", g => Silu(V(g, 1), double.NaN), typeof(ArgumentException), "a factor"),
        new(
            "LeakyRectify(Expression,double)",
            g => LeakyRectify(V(g, 1), double.PositiveInfinity), typeof(ArgumentException), "a factor"),
        new("Dropout(Expression,double)", g => Dropout(V(g, 1), 1), typeof(ArgumentException), "1"),
        new("Dropout(Expression,double)", g => Dropout(V(g, 1), -0.5), typeof(ArgumentException), "-0.5"),
        new("Dropout(Expression,double)", g => Dropout(V(g, 1), double.NaN), typeof(ArgumentException), ""),

        new("SumDim(Expression,ints,bool)", g => SumDim(M(g), [0, 0]), typeof(ArgumentException), "more than once"),
        new("SumDim(Expression,ints,bool)", g => SumDim(M(g), []), typeof(ArgumentException), "nothing to reduce"),
        new("MeanDim(Expression,ints,bool,int)", g => MeanDim(M(g), [7]), typeof(ArgumentException), "7"),
        new("MomentElems(Expression,int)", g => MomentElems(M(g), 0), typeof(ArgumentException), "order 0"),
        new("MomentBatches(Expression,int)", g => MomentBatches(M(g), -1), typeof(ArgumentException), "order -1"),
        new(
            "MomentDim(Expression,ints,int,bool,int)",
            g => MomentDim(M(g), [0], 0), typeof(ArgumentException), "order 0"),
        new("StdDim(Expression,ints,bool,int)", g => StdDim(M(g), [0], false, -2), typeof(ArgumentException), "-2"),
        new("MinDim(Expression,int)", g => MinDim(M(g), 7), typeof(ArgumentException), "7"),
        new("MaxDim(Expression,int)", g => MaxDim(M(g), -1), typeof(ArgumentException), "-1"),
        new("ArgMax(Expression,GradientMode)", g => ArgMax(V(g, 1, 3, 2), (GradientMode)2), typeof(ArgumentException), "mode 2"),
        new("LogSumExpDim(Expression,int)", g => LogSumExpDim(M(g), 7), typeof(ArgumentException), "7"),
        new("CumSum(Expression,int)", g => CumSum(M(g), 7), typeof(ArgumentException), "7"),
        new("DropoutDim(Expression,int,double)", g => DropoutDim(V(g, 1), 7, 0), typeof(ArgumentException), "7"),
        new("DropoutBatch(Expression,double)", g => DropoutBatch(V(g, 1), 1), typeof(ArgumentException), "1"),
        new("BlockDropout(Expression,double)", g => BlockDropout(V(g, 1), 1.5), typeof(ArgumentException), "1.5"),
        new("Noise(Expression,double)", g => Noise(V(g, 1), -1), typeof(ArgumentException), "-1"),

        Shape("DotProduct(Expression,Expression)", g => DotProduct(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape("SquaredDistance(Expression,Expression)", g => SquaredDistance(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),

        Shape(
            "LayerNorm(Expression,Expression,Expression)",
            g => LayerNorm(V(g, 1, 5), V(g, 2, 3), V(g, 10)), "{1}", "{2}"),
        Shape("WeightNorm(Expression,Expression)", g => WeightNorm(V(g, 3, 4), V(g, 1, 2, 3)), "{3}"),

        Shape("Reshape(Expression,Dim)", g => Reshape(M(g), [4, 2]), "{2,3}", "{4,2}"),
        Shape("Transpose(Expression)", g => Transpose(g.Constant([2, 2, 2], 1)), "{2,2,2}"),
        Shape("Transpose(Expression,ints)", g => Transpose(g.Constant([2, 2, 2], 1), [1, 0]), "{2,2,2}"),
        new("Transpose(Expression,ints)", g => Transpose(M(g), [0, 2]), typeof(ArgumentException), "2"),
        new("SelectRows(Expression,ints)", g => SelectRows(M(g), [2]), typeof(ArgumentOutOfRangeException), "2"),
        new("SelectRows(Expression,ints)", g => SelectRows(M(g), []), typeof(ArgumentException), "no indices"),
        new("SelectCols(Expression,ints)", g => SelectCols(M(g), []), typeof(ArgumentException), "no indices"),
        new("Pick(Expression,int,int)", g => Pick(V(g, 1, 2), 2), typeof(ArgumentOutOfRangeException), "2"),
        new("Pick(Expression,int,int)", g => Pick(V(g, 1, 2), -1), typeof(ArgumentOutOfRangeException), "-1"),
        new("Pick(Expression,int,int)", g => Pick(V(g, 1, 2), 0, 7), typeof(ArgumentException), "7"),
        new("Pick(Expression,ints,int)", g => Pick(B(g, 2), [0, 5]), typeof(ArgumentOutOfRangeException), "5"),
        new("Pick(Expression,ints,int)", g => Pick(B(g, 2), [0, 0, 0]), typeof(DynNetException), ""),
        new("Pick(Expression,ints,int)", g => Pick(B(g, 2), []), typeof(ArgumentException), "no indices"),
        new("Pick(Expression,ints,int)", g => Pick(B(g, 2), [0, 0], 7), typeof(ArgumentException), "7"),
        new("PickRange(Expression,int,int,int)", g => PickRange(V(g, 1, 2), 0, 1, 7), typeof(ArgumentException), "7"),
        new(
            "PickBatchElems(Expression,ints)",
            g => PickBatchElems(B(g, 2), []), typeof(ArgumentException), "no indices"),
        new(
            "PickRange(Expression,int,int,int)",
            g => PickRange(V(g, 1, 2), 0, 3), typeof(ArgumentOutOfRangeException), "3"),
        new("PickRange(Expression,int,int,int)", g => PickRange(V(g, 1, 2), 1, 1), typeof(ArgumentException), "1"),
        new("PickBatchElem(Expression,int)", g => PickBatchElem(B(g, 2), 2), typeof(ArgumentOutOfRangeException), "2"),
        new(
            "PickBatchElems(Expression,ints)",
            g => PickBatchElems(B(g, 2), [0, -1]), typeof(ArgumentOutOfRangeException), "-1"),
        new(
            "StridedSelect(Expression,ints,ints,ints)",
            g => StridedSelect(V(g, 1, 2), [0]), typeof(ArgumentException), "stride"),
        new(
            "StridedSelect(Expression,ints,ints,ints)",
            g => StridedSelect(V(g, 1, 2), [], [2]), typeof(ArgumentOutOfRangeException), "2"),
        Shape("Concatenate(expressions,int)", g => Concatenate([V(g, 1, 2), V(g, 3)], 1), "{2}", "{1}"),
        Shape("Concatenate(expressions)", g => Concatenate(M(g), V(g, 3)), "{2,3}", "{1}"),
        new(
            "Concatenate(expressions)",
            _ => Concatenate(ReadOnlySpan<Expression>.Empty), typeof(ArgumentException), "at least one"),
        Shape("ConcatenateCols(expressions)", g => ConcatenateCols(V(g, 1, 2), V(g, 3)), "{2}", "{1}"),
        new("ConcatenateCols(expressions)", _ => ConcatenateCols([]), typeof(ArgumentException), "at least one"),
        new("Concatenate(expressions,int)", g => Concatenate([V(g, 1)], 7), typeof(ArgumentException), "7"),
        Shape("ConcatenateToBatch(expressions)", g => ConcatenateToBatch(V(g, 1, 2), V(g, 3)), "{2}", "{1}"),
        new("ConcatenateToBatch(expressions)", _ => ConcatenateToBatch([]), typeof(ArgumentException), "at least one"),

        new(
            "ScaleGradient(Expression,double)",
            g => ScaleGradient(V(g, 1, 2), double.NaN), typeof(ArgumentException), "scale_gradient"),
        new("ToDevice(Expression,string)", g => ToDevice(V(g, 1), "GPU:0"), typeof(DeviceException), "GPU:0", "CPU"),

        new("Softmax(Expression,int)", g => Softmax(V(g, 1, 2), 2), typeof(ArgumentException), "2"),
        Shape("LogSoftmax(Expression)", g => LogSoftmax(g.Constant([2, 2, 2], 1)), "{2,2,2}"),
        new(
            "LogSoftmax(Expression,ints)",
            g => LogSoftmax(V(g, 1, 2), [1, 2]), typeof(ArgumentOutOfRangeException), "2"),
        new("LogSoftmax(Expression,ints)", g => LogSoftmax(V(g, 1, 2), []), typeof(ArgumentException), "no indices"),
        Shape("Sparsemax(Expression)", g => Sparsemax(g.Constant([2, 2, 2], 1)), "{2,2,2}"),
        Shape(
            "ConstrainedSoftmax(Expression,Expression)",
            g => ConstrainedSoftmax(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape("PickNegLogSoftmax(Expression,int)", g => PickNegLogSoftmax(M(g), 0), "{2,3}"),
        new(
            "PickNegLogSoftmax(Expression,int)",
            g => PickNegLogSoftmax(V(g, 1, 2), 2), typeof(ArgumentOutOfRangeException), "2"),
        new(
            "PickNegLogSoftmax(Expression,ints)",
            g => PickNegLogSoftmax(V(g, 1, 2), [0, -1]), typeof(ArgumentOutOfRangeException), "-1"),
        new(
            "PickNegLogSoftmax(Expression,ints)",
            g => PickNegLogSoftmax(V(g, 1, 2), []), typeof(ArgumentException), "no indices"),
        Shape("BinaryLogLoss(Expression,Expression)", g => BinaryLogLoss(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape("L1Distance(Expression,Expression)", g => L1Distance(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape(
            "HuberDistance(Expression,Expression,double)", g => HuberDistance(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        new(
            "HuberDistance(Expression,Expression,double)",
            g => HuberDistance(V(g, 1), V(g, 1), 0), typeof(ArgumentException), "a bound of 0"),
        Shape(
            "PairwiseRankLoss(Expression,Expression,double)",
            g => PairwiseRankLoss(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        new(
            "PairwiseRankLoss(Expression,Expression,double)",
            g => PairwiseRankLoss(V(g, 1), V(g, 1), double.NaN), typeof(ArgumentException), "a margin"),
        new("PoissonLoss(Expression,int)", g => PoissonLoss(V(g, 0), -1), typeof(ArgumentOutOfRangeException), "-1"),
        Shape("PoissonLoss(Expression,int)", g => PoissonLoss(V(g, 1, 2), 1), "{2}"),
        new("Hinge(Expression,int,double)", g => Hinge(V(g, 1, 2), 2), typeof(ArgumentOutOfRangeException), "2"),
        new("Hinge(Expression,int,double)", g => Hinge(V(g, 1, 2), 0, -1), typeof(ArgumentException), "-1"),
        Shape("Hinge(Expression,int,double)", g => Hinge(M(g), 0), "{2,3}"),
        new(
            "Hinge(Expression,ints,double)", g => Hinge(V(g, 1, 2), [0, 2]), typeof(ArgumentOutOfRangeException), "2"),
        new("Hinge(Expression,ints,double)", g => Hinge(V(g, 1, 2), []), typeof(ArgumentException), "no indices"),
        new("Hinge(Expression,ints,double)", g => Hinge(V(g, 1, 2), [0], -1), typeof(ArgumentException), "-1"),
        Shape("Hinge(Expression,ints,double)", g => Hinge(B(g, 2), [0, 1, 0]), "3", "{2}X2"),
        new(
            "HingeDim(Expression,ints,int,double)",
            g => HingeDim(M(g), [0, 1, 2]), typeof(ArgumentOutOfRangeException), "2"),
        Shape("HingeDim(Expression,ints,int,double)", g => HingeDim(M(g), [0, 1]), "2", "{2,3}"),
        new("HingeDim(Expression,ints,int,double)", g => HingeDim(M(g), [0], 2), typeof(ArgumentException), "2"),
        new("HingeDim(Expression,ints,int,double)", g => HingeDim(M(g), []), typeof(ArgumentException), "no indices"),
        new("SparsemaxLoss(Expression,ints)", g => SparsemaxLoss(V(g, 1), []), typeof(ArgumentException), "no indices"),
        new(
            "SparsemaxLoss(Expression,ints)",
            g => SparsemaxLoss(V(g, 1, 2), [2]), typeof(ArgumentOutOfRangeException), "2"),

        Shape("TraceOfProduct(Expression,Expression)", g => TraceOfProduct(M(g), V(g, 1, 2)), "{2,3}", "{2}"),
        Shape("Inverse(Expression)", g => Inverse(M(g)), "{2,3}"),
        Shape("LogDet(Expression)", g => LogDet(M(g)), "{2,3}"),
        Shape("Contract3D1D(Expression,Expression)", g => Contract3D1D(T(g), V(g, 1)), "{2,2,2}", "{1}"),
        Shape(
            "Contract3D1D(Expression,Expression,Expression)",
            g => Contract3D1D(T(g), V(g, 1, 2), V(g, 1, 2)), "{2}", "{2,2}"),
        Shape(
            "Contract3D1D1D(Expression,Expression,Expression)",
            g => Contract3D1D1D(T(g), V(g, 1, 2), V(g, 1)), "{2,2,2}", "{1}"),
        Shape(
            "Contract3D1D1D(Expression,Expression,Expression,Expression)",
            g => Contract3D1D1D(T(g), V(g, 1, 2), V(g, 1, 2), V(g, 1)), "{1}", "{2}"),
        Shape("CircConv(Expression,Expression)", g => CircConv(V(g, 1, 2), V(g, 1)), "{2}", "{1}"),
        Shape("CircCorr(Expression,Expression)", g => CircCorr(V(g, 1, 2), V(g, 1)), "{2}", "{1}"),

        Shape(
            "VanillaLstmGates(Expression,Expression,Expression,Expression,Expression)",
            g => VanillaLstmGates(V(g, 1, 1), V(g, 1), g.Constant([4, 1], 0), g.Constant([4, 1], 0), V(g, 0, 0, 0, 0)),
            "{2}"),
        Shape("VanillaLstmC(Expression,Expression)", g => VanillaLstmC(V(g, 2), V(g, 1, 2)), "{4}", "{2}"),
        Shape("VanillaLstmH(Expression,Expression)", g => VanillaLstmH(V(g, 2), V(g, 1, 2)), "{4}", "{2}"),
        Shape("TreeLstmC(expressions)", g => TreeLstmC(V(g, 0, 0)), "{2}"),
        Shape("TreeLstmC(expressions)", g => TreeLstmC(V(g, 0, 0, 1), V(g, 0, 0), V(g, 4)), "{2}"),
        new("TreeLstmC(expressions)", g => TreeLstmC(V(g, 0, 0, 1), V(g, 0)), typeof(ArgumentException), ""),
        new("TreeLstmC(expressions)", _ => TreeLstmC([]), typeof(ArgumentException), "at least one"),
        Shape("TreeLstmH(Expression,Expression)", g => TreeLstmH(V(g, 0, 0, 1), V(g, 1, 1)), "{6}", "{3}"),

        Shape(
            "Conv2D(Expression,Expression,ints,bool)",
            g => Conv2D(M(g), g.Constant([3, 1], 1), [1, 1]), "3", "{2,3}"),
        new(
            "Conv2D(Expression,Expression,ints,bool)",
            g => Conv2D(M(g), g.Constant([1, 1], 1), [1]), typeof(ArgumentException), "1 strides"),
        new(
            "Conv2D(Expression,Expression,ints,bool)",
            g => Conv2D(M(g), g.Constant([1, 1], 1), [1, 0]), typeof(ArgumentException), "0"),
        Shape(
            "Conv2D(Expression,Expression,Expression,ints,bool)",
            g => Conv2D(M(g), g.Constant([1, 1, 1, 2], 1), V(g, 1), [1, 1]), "{2}", "{1}"),
        Shape("MaxPooling2D(Expression,ints,ints,bool)", g => MaxPooling2D(M(g), [3, 1], [1, 1]), "3", "{2,3}"),
        new(
            "MaxPooling2D(Expression,ints,ints,bool)",
            g => MaxPooling2D(M(g), [1, 1], [0, 1]), typeof(ArgumentException), "0"),
        Shape("Filter1DNarrow(Expression,Expression)", g => Filter1DNarrow(M(g), V(g, 1)), "{1}", "{2,3}"),
        Shape("KMaxPooling(Expression,int,int)", g => KMaxPooling(M(g), 4), "4", "{2,3}"),
        new("KMaxPooling(Expression,int,int)", g => KMaxPooling(M(g), 0), typeof(ArgumentException), "0"),
        new("KMaxPooling(Expression,int,int)", g => KMaxPooling(M(g), 1, 7), typeof(ArgumentException), "7"),
        new("KmhNgram(Expression,int)", g => KmhNgram(M(g), 0), typeof(ArgumentException), "0"),
        new("FoldRows(Expression,int)", g => FoldRows(M(g), 0), typeof(ArgumentException), "0"),
        Shape("KmhNgram(Expression,int)", g => KmhNgram(M(g), 4), "4", "{2,3}"),
        Shape("FoldRows(Expression,int)", g => FoldRows(V(g, 1, 2, 3)), "{3}", "2"),
        Shape(
            "ScaledDotProductAttention(Expression,Expression,Expression,bool,double,double)",
            g => ScaledDotProductAttention(V(g, 1), V(g, 1, 2), V(g, 1)), "{1}", "{2}"),
        Shape(
            "ScaledDotProductAttention(Expression,Expression,Expression,Expression,bool,double,double)",
            g => ScaledDotProductAttention(V(g, 1), V(g, 1), V(g, 1), V(g, 1, 2)), "{1}", "{2}"),
        Shape(
            "MultiHeadAttention(Expression,Expression,Expression,int,bool,double,double)",
            g => MultiHeadAttention(V(g, 1, 2), V(g, 1, 2), V(g, 1), 2), "{1}", "2 heads"),
        new(
            "MultiHeadAttention(Expression,Expression,Expression,int,bool,double,double)",
            g => MultiHeadAttention(V(g, 1), V(g, 1), V(g, 1), 0), typeof(ArgumentException), "0 heads"),
        Shape(
            "MultiHeadAttention(Expression,Expression,Expression,Expression,int,bool,double,double)",
            g => MultiHeadAttention(V(g, 1, 2), V(g, 1, 2), V(g, 1, 2), V(g, 1, 2), 2), "{1,1,2}", "{2}"),
        new(
            "ScaledDotProductAttention(Expression,Expression,Expression,bool,double,double)",
            g => ScaledDotProductAttention(V(g, 1), V(g, 1), V(g, 1), dropout: 1), typeof(ArgumentException),
            "a dropout of 1"),
        new(
            "MultiHeadAttention(Expression,Expression,Expression,int,bool,double,double)",
            g => MultiHeadAttention(V(g, 1), V(g, 1), V(g, 1), 1, scale: double.PositiveInfinity), typeof(ArgumentException),
            "a scale of inf"),
        Shape(
            "AttentionWeights(Expression,Expression,int,bool,double)",
            g => AttentionWeights(V(g, 1), V(g, 1, 2)), "{1}", "{2}"),
        Shape(
            "AttentionWeights(Expression,Expression,Expression,int,bool,double)",
            g => AttentionWeights(V(g, 1), V(g, 1), V(g, 1, 2)), "{1,1}", "{2}"),
    ];

    private static OpMisuse Shape(string method, Func<ComputationGraph, Expression> call, params string[] inMessage) =>
        new(method, call, typeof(ShapeMismatchException), inMessage);
}
