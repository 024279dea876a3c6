using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>
/// Spot checks of operations: what they give for small operands, and what they refuse. They show that the binding hands
/// over operands and attributes in their order. That each operation computes what it should is for the native tests to
/// say; a new one needs no row here, <see cref="OpCallTests"/> finds it by itself.
/// </summary>
internal static partial class OpCases
{
    private static readonly float Gate = Logistic1(0);

    /// <summary>Right calls. The numbers were worked out by hand or from the formula.</summary>
    internal static IEnumerable<OpCase> Right =>
    [
        new("Input(Dim,floats)", g => g.Input([2, 1], [1, 2]), [2], [1, 2]),
        new("Input(floats)", g => g.Input([1, 2]), [2], [1, 2]),
        new("Input(Dim,ints,floats,double)", g => g.Input([4], [3, 1], [1, 2], -1), [4], [-1, 2, -1, 1]),
        new("Input(double)", g => g.Input(1.5), [1], [1.5f]),
        new("Constant(Dim,double)", g => g.Constant([2], 3), [2], [3, 3]),
        new("Zeros(Dim)", g => g.Zeros([2]), [2], [0, 0]),
        new("Ones(Dim)", g => g.Ones([2]), [2], [1, 1]),
        new("OneHot(int,int)", g => g.OneHot(3, 1), [3], [0, 1, 0]),
        new("OneHot(int,ints)", g => g.OneHot(2, [1, 0]), Dim.Of(2).WithBatch(2), [0, 1, 1, 0]),
        new("RandomNormal(Dim,double,double)", g => g.RandomNormal([2], 3, 0), [2], [3, 3]),
        new("RandomUniform(Dim,double,double)", g => g.RandomUniform([2], 3, 3), [2], [3, 3]),
        new("RandomBernoulli(Dim,double,double)", g => g.RandomBernoulli([2], 1, 3), [2], [3, 3]),
        new("RandomGumbel(Dim,double,double)", g => g.RandomGumbel([2], 3, 0), [2], [3, 3]),
        new("Parameter(Parameter)", g => g.Parameter(Weights([2], 1, 2)), [2], [1, 2]),
        new("ConstParameter(Parameter)", g => g.ConstParameter(Weights([2], 1, 2)), [2], [1, 2]),
        new("Parameter(LookupParameter)", g => g.Parameter(Table()), [2, 2], [1, 2, 3, 4]),
        new("ConstParameter(LookupParameter)", g => g.ConstParameter(Table()), [2, 2], [1, 2, 3, 4]),
        new("Lookup(LookupParameter,int)", g => g.Lookup(Table(), 1), [2], [3, 4]),
        new("Lookup(LookupParameter,ints)", g => g.Lookup(Table(), [1, 0]), Dim.Of(2).WithBatch(2), [3, 4, 1, 2]),
        new("ConstLookup(LookupParameter,int)", g => g.ConstLookup(Table(), 0), [2], [1, 2]),
        new("ConstLookup(LookupParameter,ints)", g => g.ConstLookup(Table(), [0]), [2], [1, 2]),

        new("Add(Expression,Expression)", g => Add(V(g, 1, 2), V(g, 3, 5)), [2], [4, 7]),
        new("Add(Expression,double)", g => Add(V(g, 1, 2), 0.5), [2], [1.5f, 2.5f]),
        new("Subtract(Expression,Expression)", g => Subtract(V(g, 1, 2), V(g, 3, 5)), [2], [-2, -3]),
        new("CMult(Expression,Expression)", g => CMult(V(g, 1, 2), V(g, 3, 5)), [2], [3, 10]),
        new("CDiv(Expression,Expression)", g => CDiv(V(g, 1, 2), V(g, 4, 8)), [2], [0.25f, 0.25f]),
        new("Pow(Expression,Expression)", g => Pow(V(g, 2, 9), V(g, 3, 0.5f)), [2], [8, 3]),
        new("Min(Expression,Expression)", g => Min(V(g, 1, 5), V(g, 3, 2)), [2], [1, 2]),
        new("Max(Expression,Expression)", g => Max(V(g, 1, 5), V(g, 3, 2)), [2], [3, 5]),
        new("SubtractFrom(Expression,double)", g => SubtractFrom(V(g, 1, 2), 5), [2], [4, 3]),
        new("CDiv(Expression,double)", g => CDiv(V(g, 1, 2), 4), [2], [0.25f, 0.5f]),
        new("DivideInto(Expression,double)", g => DivideInto(V(g, 1, 2), 4), [2], [4, 2]),
        new("Multiply(Expression,double)", g => Multiply(V(g, 1, 2), -2), [2], [-2, -4]),
        new("Multiply(Expression,Expression)", g => Multiply(M(g), V(g, 1, 1, 2)), [2], [14, 18]),
        new("AffineTransform(expressions)", g => AffineTransform(V(g, 1, 2), M(g), V(g, 1, 1, 2)), [2], [15, 20]),
        new("Sum(expressions)", g => Sum(V(g, 1, 2), V(g, 3, 5), V(g, 1, 1)), [2], [5, 8]),
        new("Average(expressions)", g => Average(V(g, 1, 2), V(g, 3, 6)), [2], [2, 4]),
        new("Max(expressions)", g => Max(V(g, 1, 5), V(g, 3, 2), V(g, 2, 9)), [2], [3, 9]),
        new("LogSumExp(expressions)", g => LogSumExp(V(g, 0, 7), V(g, 0, 7)), [2], [0.6931472f, 7.6931472f]),
        new("ColwiseAdd(Expression,Expression)", g => ColwiseAdd(M(g), V(g, 10, 20)), [2, 3], [11, 22, 13, 24, 15, 26]),

        new("Negate(Expression)", g => Negate(V(g, 1, -2)), [2], [-1, 2]),
        new("Tanh(Expression)", g => Tanh(V(g, 0, 1)), [2], [0, 0.7615942f]),
        new("Logistic(Expression)", g => Logistic(V(g, 0, 1)), [2], [0.5f, 0.7310586f]),
        new("Rectify(Expression)", g => Rectify(V(g, -1, 2)), [2], [0, 2]),
        new("Exp(Expression)", g => Exp(V(g, 0, 1)), [2], [1, 2.7182817f]),
        new("Log(Expression)", g => Log(V(g, 1, 2)), [2], [0, 0.6931472f]),
        new("Square(Expression)", g => Square(V(g, -3, 2)), [2], [9, 4]),
        new("Sqrt(Expression)", g => Sqrt(V(g, 9, 4)), [2], [3, 2]),
        new("Abs(Expression)", g => Abs(V(g, -3, 2)), [2], [3, 2]),
        new("Cube(Expression)", g => Cube(V(g, -3, 2)), [2], [-27, 8]),
        new("Erf(Expression)", g => Erf(V(g, 0, 1)), [2], [0, 0.8427008f]),
        new("LGamma(Expression)", g => LGamma(V(g, 1, 5)), [2], [0, 3.1780539f]),
        new("Sin(Expression)", g => Sin(V(g, 0, 1)), [2], [0, 0.8414710f]),
        new("Cos(Expression)", g => Cos(V(g, 0, 1)), [2], [1, 0.5403023f]),
        new("Tan(Expression)", g => Tan(V(g, 0, 1)), [2], [0, 1.5574077f]),
        new("Asin(Expression)", g => Asin(V(g, 0, 1)), [2], [0, 1.5707963f]),
        new("Acos(Expression)", g => Acos(V(g, 1, -1)), [2], [0, 3.1415927f]),
        new("Atan(Expression)", g => Atan(V(g, 0, 1)), [2], [0, 0.7853982f]),
        new("Sinh(Expression)", g => Sinh(V(g, 0, 1)), [2], [0, 1.1752012f]),
        new("Cosh(Expression)", g => Cosh(V(g, 0, 1)), [2], [1, 1.5430806f]),
        new("Asinh(Expression)", g => Asinh(V(g, 0, 1)), [2], [0, 0.8813736f]),
        new("Acosh(Expression)", g => Acosh(V(g, 1, 2)), [2], [0, 1.3169579f]),
        new("Atanh(Expression)", g => Atanh(V(g, 0, 0.5f)), [2], [0, 0.5493061f]),
        new("LogSigmoid(Expression)", g => LogSigmoid(V(g, 0, 1)), [2], [-0.6931472f, -0.3132617f]),
        new("Softplus(Expression)", g => Softplus(V(g, 0, 1)), [2], [0.6931472f, 1.3132617f]),
        new("Elu(Expression,double)", g => Elu(V(g, -1, 2), 2), [2], [-1.2642411f, 2]),
        new("Selu(Expression)", g => Selu(V(g, -1, 1)), [2], [-1.1113307f, 1.0507010f]),
        new("Silu(Expression,double)", g => Silu(V(g, 1, 2), 0), [2], [0.5f, 1]),
        new("Gelu(Expression)", g => Gelu(V(g, -1, 1)), [2], [-0.1586553f, 0.8413447f]),
        new("Softsign(Expression)", g => Softsign(V(g, -1, 3)), [2], [-0.5f, 0.75f]),
        new("LeakyRectify(Expression,double)", g => LeakyRectify(V(g, -1, 2)), [2], [-0.01f, 2]),
        new("HardTanh(Expression)", g => HardTanh(V(g, -3, 0.5f)), [2], [-1, 0.5f]),
        new("Floor(Expression,GradientMode)", g => Floor(V(g, -1.5f, 1.5f)), [2], [-2, 1]),
        new("Ceil(Expression,GradientMode)", g => Ceil(V(g, -1.5f, 1.5f)), [2], [-1, 2]),
        new("Round(Expression,GradientMode)", g => Round(V(g, -1.5f, 2.5f), GradientMode.StraightThrough), [2], [-2, 3]),

        new("Dropout(Expression,double)", g => Dropout(V(g, 1, 2), 0), [2], [1, 2]),
        new("DropoutDim(Expression,int,double)", g => DropoutDim(V(g, 1, 2), 0, 0), [2], [1, 2]),
        new("DropoutBatch(Expression,double)", g => DropoutBatch(V(g, 1, 2), 0), [2], [1, 2]),
        new("BlockDropout(Expression,double)", g => BlockDropout(V(g, 1, 2), 1), [2], [0, 0]),
        new("Noise(Expression,double)", g => Noise(V(g, 1, 2), 0), [2], [1, 2]),

        new("SumElems(Expression)", g => SumElems(M(g)), [1], [21]),
        new("SumBatches(Expression)", g => SumBatches(g.Input(Dim.Of(2).WithBatch(2), [1, 2, 3, 4])), [2], [4, 6]),
        new("SumDim(Expression,ints,bool)", g => SumDim(M(g), [1]), [2], [9, 12]),
        new("SumDim(Expression,ints,bool)", g => SumDim(B(g, 3), [], true), [2], [3, 3]),
        new("SumRows(Expression)", g => SumRows(M(g)), [3], [3, 7, 11]),
        new("SumCols(Expression)", g => SumCols(M(g)), [2], [9, 12]),
        new("MeanElems(Expression)", g => MeanElems(M(g)), [1], [3.5f]),
        new("MeanBatches(Expression)", g => MeanBatches(g.Input(Dim.Of(2).WithBatch(2), [1, 2, 3, 4])), [2], [2, 3]),
        new("MeanDim(Expression,ints,bool,int)", g => MeanDim(M(g), [0], false, 4), [3], [0.75f, 1.75f, 2.75f]),
        new("AverageCols(Expression)", g => AverageCols(M(g)), [2], [3, 4]),
        new("MomentElems(Expression,int)", g => MomentElems(V(g, 1, -2, 3), 3), [1], [20f / 3]),
        new(
            "MomentBatches(Expression,int)",
            g => MomentBatches(g.Input(Dim.Of(2).WithBatch(2), [1, 2, 3, 4]), 2), [2], [5, 10]),
        new("MomentDim(Expression,ints,int,bool,int)", g => MomentDim(M(g), [1, 0], 2, false, 7), [1], [13]),
        new("StdElems(Expression)", g => StdElems(V(g, 1, 5, 1, 5)), [1], [2]),
        new("StdBatches(Expression)", g => StdBatches(g.Input(Dim.Of(2).WithBatch(2), [1, 2, 3, 8])), [2], [1, 3]),
        new("StdDim(Expression,ints,bool,int)", g => StdDim(M(g), [0]), [3], [0.5f, 0.5f, 0.5f]),
        new("SquaredNorm(Expression)", g => SquaredNorm(V(g, 3, 4)), [1], [25]),
        new("L2Norm(Expression)", g => L2Norm(V(g, 3, 4)), [1], [5]),
        new("MinDim(Expression,int)", g => MinDim(M(g), 1), [2], [1, 2]),
        new("MaxDim(Expression,int)", g => MaxDim(M(g)), [3], [2, 4, 6]),
        new("ArgMax(Expression,GradientMode)", g => ArgMax(V(g, 1, 3, 2), GradientMode.StraightThrough), [3], [0, 1, 0]),
        new("LogSumExpDim(Expression,int)", g => LogSumExpDim(V(g, 2, 2)), [1], [2.6931472f]),
        new("CumSum(Expression,int)", g => CumSum(M(g), 1), [2, 3], [1, 2, 4, 6, 9, 12]),
        new("DotProduct(Expression,Expression)", g => DotProduct(V(g, 1, 2), V(g, 3, 5)), [1], [13]),
        new("SquaredDistance(Expression,Expression)", g => SquaredDistance(V(g, 1, 2), V(g, 3, 5)), [1], [13]),

        new(
            "LayerNorm(Expression,Expression,Expression)",
            g => LayerNorm(V(g, 1, 5), V(g, 2, 3), V(g, 10, 20)), [2], [8, 23]),
        new("WeightNorm(Expression,Expression)", g => WeightNorm(V(g, 3, 4), V(g, 10)), [2], [6, 8]),

        new("Reshape(Expression,Dim)", g => Reshape(M(g), [3, 2]), [3, 2], [1, 2, 3, 4, 5, 6]),
        new("Transpose(Expression)", g => Transpose(M(g)), [3, 2], [1, 3, 5, 2, 4, 6]),
        new(
            "Transpose(Expression,ints)",
            g => Transpose(g.Input([1, 2, 3], [1, 2, 3, 4, 5, 6]), [2, 0, 1]), [3, 1, 2], [1, 3, 5, 2, 4, 6]),
        new("SelectRows(Expression,ints)", g => SelectRows(M(g), [1, 1]), [2, 3], [2, 2, 4, 4, 6, 6]),
        new("SelectCols(Expression,ints)", g => SelectCols(M(g), [2, 0]), [2, 2], [5, 6, 1, 2]),
        new("Pick(Expression,int,int)", g => Pick(M(g), 1, 1), [2], [3, 4]),
        new(
            "Pick(Expression,ints,int)",
            g => Pick(g.Input(Dim.Of(2).WithBatch(2), [1, 2, 3, 4]), [1, 0]), Dim.Of(1).WithBatch(2), [2, 3]),
        new("PickRange(Expression,int,int,int)", g => PickRange(V(g, 1, 2, 3, 4), 1, 3), [2], [2, 3]),
        new(
            "PickBatchElem(Expression,int)",
            g => PickBatchElem(g.Input(Dim.Of(2).WithBatch(2), [1, 2, 3, 4]), 1), [2], [3, 4]),
        new(
            "PickBatchElems(Expression,ints)",
            g => PickBatchElems(g.Input(Dim.Of(2).WithBatch(2), [1, 2, 3, 4]), [1, 0]),
            Dim.Of(2).WithBatch(2), [3, 4, 1, 2]),
        new(
            "StridedSelect(Expression,ints,ints,ints)",
            g => StridedSelect(M(g), [1, 2], [1, 0], [2, 3]), [1, 2], [2, 6]),
        new("StridedSelect(Expression,ints,ints,ints)", g => StridedSelect(M(g), [2]), [1, 3], [1, 3, 5]),
        new("Concatenate(expressions,int)", g => Concatenate([V(g, 1, 2), V(g, 3, 4)], 1), [2, 2], [1, 2, 3, 4]),
        new("Concatenate(expressions)", g => Concatenate(V(g, 1, 2), V(g, 3)), [3], [1, 2, 3]),
        new("ConcatenateCols(expressions)", g => ConcatenateCols(V(g, 1, 2), V(g, 3, 4)), [2, 2], [1, 2, 3, 4]),
        new(
            "ConcatenateToBatch(expressions)",
            g => ConcatenateToBatch(V(g, 1, 2), V(g, 3, 4)), Dim.Of(2).WithBatch(2), [1, 2, 3, 4]),

        new("NoBackprop(Expression)", g => NoBackprop(V(g, 1, 2)), [2], [1, 2]),
        new("FlipGradient(Expression)", g => FlipGradient(V(g, 1, 2)), [2], [1, 2]),
        new("ScaleGradient(Expression,double)", g => ScaleGradient(V(g, 1, 2), 3), [2], [1, 2]),
        new("ToDevice(Expression,string)", g => ToDevice(V(g, 1, 2), "CPU"), [2], [1, 2]),
        new("ToDevice(Expression,CpuDevice)", g => ToDevice(V(g, 1, 2), Device.Cpu), [2], [1, 2]),

        new("Softmax(Expression,int)", g => Softmax(V(g, 0, 0, 0.6931472f)), [3], [0.25f, 0.25f, 0.5f]),
        new(
            "Softmax(Expression,int)",
            g => Softmax(g.Input([1, 2, 2], [0, 0, 0.6931472f, 0]), 2), [1, 2, 2], [1 / 3f, 0.5f, 2 / 3f, 0.5f]),
        new("LogSoftmax(Expression)", g => LogSoftmax(V(g, 2, 2)), [2], [-0.6931472f, -0.6931472f]),
        new(
            "LogSoftmax(Expression,ints)",
            g => LogSoftmax(V(g, 2, 9, 2), [2, 0]), [3], [-0.6931472f, float.NegativeInfinity, -0.6931472f]),
        new("Sparsemax(Expression)", g => Sparsemax(V(g, 1, 1.5f, -1)), [3], [0.25f, 0.75f, 0]),
        new(
            "ConstrainedSoftmax(Expression,Expression)",
            g => ConstrainedSoftmax(V(g, 0, 0, 5), V(g, 1, 1, 0.5f)), [3], [0.25f, 0.25f, 0.5f]),
        new("PickNegLogSoftmax(Expression,int)", g => PickNegLogSoftmax(V(g, 2, 2), 1), [1], [0.6931472f]),
        new(
            "PickNegLogSoftmax(Expression,ints)",
            g => PickNegLogSoftmax(V(g, 0, 0, 0.6931472f), [0, 2]), Dim.Of(1).WithBatch(2), [1.3862944f, 0.6931472f]),
        new(
            "BinaryLogLoss(Expression,Expression)",
            g => BinaryLogLoss(V(g, 0.5f, 0.25f), V(g, 1, 0)), [1], [0.9808293f]),
        new("L1Distance(Expression,Expression)", g => L1Distance(V(g, 1, 2), V(g, 3, -1)), [1], [5]),
        new(
            "HuberDistance(Expression,Expression,double)",
            g => HuberDistance(V(g, 1, 2), V(g, 2, 5), 2), [1], [4.5f]),
        new(
            "PairwiseRankLoss(Expression,Expression,double)",
            g => PairwiseRankLoss(V(g, 1, 2), V(g, 3, 0)), [2], [3, 0]),
        new("PoissonLoss(Expression,int)", g => PoissonLoss(V(g, 0), 3), [1], [2.7917595f]),
        new("Hinge(Expression,int,double)", g => Hinge(V(g, 1, 3, 2), 2, 2), [1], [4]),
        new(
            "Hinge(Expression,ints,double)",
            g => Hinge(V(g, 1, 3, 2), [2, 1], 2), Dim.Of(1).WithBatch(2), [4, 1]),
        new("HingeDim(Expression,ints,int,double)", g => HingeDim(M(g), [0, 1, 1]), [3], [2, 0, 0]),
        new("HingeDim(Expression,ints,int,double)", g => HingeDim(M(g), [1, 2], 1, 3), [2], [6, 1]),
        new("SparsemaxLoss(Expression,ints)", g => SparsemaxLoss(V(g, 1, 1.5f, -1), [0]), [1], [0.5625f]),

        new(
            "TraceOfProduct(Expression,Expression)",
            g => TraceOfProduct(M(g), g.Input([2, 3], [1, 0, 0, 2, 1, 1])), [1], [20]),
        new(
            "Inverse(Expression)",
            g => Inverse(g.Input([2, 2], [2, 0, 1, 4])), [2, 2], [0.5f, 0, -0.125f, 0.25f]),
        new("LogDet(Expression)", g => LogDet(g.Input([2, 2], [2, 0, 1, 4])), [1], [2.0794415f]),
        new(
            "Contract3D1D(Expression,Expression)",
            g => Contract3D1D(T(g), V(g, 1, 2)), [2, 2], [11, 14, 17, 20]),
        new(
            "Contract3D1D(Expression,Expression,Expression)",
            g => Contract3D1D(T(g), V(g, 1, 2), g.Input([2, 2], [1, 2, 3, 4])), [2, 2], [12, 16, 20, 24]),
        new(
            "Contract3D1D1D(Expression,Expression,Expression)",
            g => Contract3D1D1D(T(g), V(g, 1, 2), V(g, 1, -1)), [2], [-6, -6]),
        new(
            "Contract3D1D1D(Expression,Expression,Expression,Expression)",
            g => Contract3D1D1D(T(g), V(g, 1, 2), V(g, 1, -1), V(g, 1, 2)), [2], [-5, -4]),
        new("CircConv(Expression,Expression)", g => CircConv(V(g, 1, 2, 3), V(g, 0, 1, 0)), [3], [3, 1, 2]),
        new("CircCorr(Expression,Expression)", g => CircCorr(V(g, 1, 2, 3), V(g, 0, 1, 0)), [3], [2, 1, 3]),

        new(
            "VanillaLstmGates(Expression,Expression,Expression,Expression,Expression)",
            g => VanillaLstmGates(
                V(g, 1), V(g, 1), g.Constant([4, 1], 0), g.Constant([4, 1], 0), V(g, 0, -1, 0, 1)),
            [4], [Gate, Gate, Gate, 0.7615942f]),
        new("VanillaLstmC(Expression,Expression)", g => VanillaLstmC(V(g, 2), V(g, 0.5f, 0.25f, 1, 3)), [1], [2]),
        new("VanillaLstmH(Expression,Expression)", g => VanillaLstmH(V(g, 1), V(g, 1, 1, 0.5f, 1)), [1], [0.3807971f]),
        new(
            "TreeLstmC(expressions)",
            g => TreeLstmC(V(g, 0, 0, 1), V(g, 0), V(g, 4), V(g, 0), V(g, 6)), [1], [0.3807971f + 5]),
        new("TreeLstmH(Expression,Expression)", g => TreeLstmH(V(g, 9, 0, 9), V(g, 1)), [1], [0.3807971f]),

        new(
            "Conv2D(Expression,Expression,ints,bool)",
            g => Conv2D(M(g), g.Input([1, 2], [10, 1]), [1, 1]), [2, 2], [13, 24, 35, 46]),
        new(
            "Conv2D(Expression,Expression,Expression,ints,bool)",
            g => Conv2D(M(g), g.Input([1, 2], [10, 1]), V(g, 0.5f), [1, 2], isValid: false),
            [2, 2], [13.5f, 24.5f, 50.5f, 60.5f]),
        new("MaxPooling2D(Expression,ints,ints,bool)", g => MaxPooling2D(M(g), [2, 2], [1, 1]), [1, 2], [4, 6]),
        new(
            "MaxPooling2D(Expression,ints,ints,bool)",
            g => MaxPooling2D(M(g), [1, 2], [1, 2], isValid: false), [2, 2], [3, 4, 5, 6]),
        new(
            "Filter1DNarrow(Expression,Expression)",
            g => Filter1DNarrow(M(g), g.Input([2, 2], [1, 0, 0, 10])), [1, 2], [41, 63]),
        new("KMaxPooling(Expression,int,int)", g => KMaxPooling(g.Input([1, 4], [3, 1, 4, 2]), 2), [1, 2], [3, 4]),
        new("KMaxPooling(Expression,int,int)", g => KMaxPooling(V(g, 3, 1, 4, 2), 3, 0), [3], [3, 4, 2]),
        new("KmhNgram(Expression,int)", g => KmhNgram(M(g), 2), [2, 2], [4, 6, 8, 10]),
        new("FoldRows(Expression,int)", g => FoldRows(M(g)), [1, 3], [3, 7, 11]),

        new(
            "ScaledDotProductAttention(Expression,Expression,Expression,bool,double,double)",
            g => ScaledDotProductAttention(V(g, 1), g.Input([1, 2], [0, 0.6931472f]), g.Input([1, 2], [3, 9])),
            [1], [7]),
        new(
            "ScaledDotProductAttention(Expression,Expression,Expression,Expression,bool,double,double)",
            g => ScaledDotProductAttention(
                V(g, 1), g.Input([1, 2], [0, 0.6931472f]), g.Input([1, 2], [3, 9]), V(g, 0, float.NegativeInfinity)),
            [1], [3]),
        new(
            "MultiHeadAttention(Expression,Expression,Expression,int,bool,double,double)",
            g => MultiHeadAttention(
                V(g, 1, 0), g.Input([2, 2], [0, 1, 0.6931472f, 1]), g.Input([2, 2], [3, 4, 9, 8]), 2),
            [2], [7, 6]),
        new(
            "MultiHeadAttention(Expression,Expression,Expression,Expression,int,bool,double,double)",
            g => MultiHeadAttention(
                V(g, 1, 0), g.Input([2, 2], [0, 1, 0, 1]), g.Input([2, 2], [3, 4, 9, 8]), V(g, 0, 0.6931472f), 2),
            [2], [7, 6.6666667f]),
        new(
            "MultiHeadAttention(Expression,Expression,Expression,int,bool,double,double)",
            g => MultiHeadAttention(
                V(g, 1, 0), g.Input([2, 2], [0, 1, 0.6931472f, 1]), g.Input([2, 2], [3, 4, 9, 8]), 2, scale: -1),
            [2], [5, 6]),
        new(
            "AttentionWeights(Expression,Expression,int,bool,double)",
            g => AttentionWeights(V(g, 1, 0), g.Input([2, 2], [0, 1, 0.3465736f, 1]), 2, scale: 2),
            [2, 1, 2], [0.3333333f, 0.6666667f, 0.5f, 0.5f]),
        new(
            "AttentionWeights(Expression,Expression,Expression,int,bool,double)",
            g => AttentionWeights(V(g, 1), g.Input([1, 2], [0, 0]), V(g, 0, 0.6931472f)),
            [2], [0.3333333f, 0.6666667f]),
    ];

    private static float Logistic1(double x) => (float)(1 / (1 + Math.Exp(-x)));

    private static Expression V(ComputationGraph graph, params float[] values) => graph.Input(values);

    /// <summary>{2,3}: 1 3 5 over 2 4 6.</summary>
    private static Expression M(ComputationGraph graph) => graph.Input([2, 3], [1, 2, 3, 4, 5, 6]);

    /// <summary>{2,2,2}: 1 3 over 2 4, and 5 7 over 6 8.</summary>
    private static Expression T(ComputationGraph graph) => graph.Input([2, 2, 2], [1, 2, 3, 4, 5, 6, 7, 8]);

    private static Expression B(ComputationGraph graph, int batch) => graph.Constant(Dim.Of(2).WithBatch(batch), 1);

    // The graph holds on to the native model, so these need no owner.
    private static Parameter Weights(Dim dim, params float[] values) =>
        new Model().AddParameters(dim, Initializer.FromArray(values));

    private static LookupParameter Table() =>
        new Model().AddLookupParameters(2, [2], Initializer.FromArray([1, 2, 3, 4]), "T");
}

/// <summary>A call of an operation with what it gives.</summary>
internal sealed record OpCase(string Method, Func<ComputationGraph, Expression> Call, Dim Dim, float[] Value)
{
    public override string ToString() => Method;
}

/// <summary>A wrong call of an operation with what it throws.</summary>
internal sealed record OpMisuse(
    string Method, Func<ComputationGraph, Expression> Call, Type Exception, params string[] InMessage)
{
    public override string ToString() => $"{Method}: {string.Join(' ', InMessage)}";
}
