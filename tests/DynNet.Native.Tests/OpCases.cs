using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>
/// Spot checks of operations: what they give for small operands, and what they refuse. They show that the binding hands
/// over operands and attributes in their order. That each operation computes what it should is for the native tests to
/// say; a new one needs no row here, <see cref="OpCallTests"/> finds it by itself.
/// </summary>
internal static class OpCases
{
    private static readonly float Gate = Logistic1(0);

    /// <summary>Right calls. The numbers were worked out by hand or from the formula.</summary>
    internal static IEnumerable<OpCase> Right =>
    [
        new("Input(Dim,floats)", g => g.Input([2, 1], [1, 2]), [2], [1, 2]),
        new("Input(floats)", g => g.Input([1, 2]), [2], [1, 2]),
        new("Input(double)", g => g.Input(1.5), [1], [1.5f]),
        new("Constant(Dim,double)", g => g.Constant([2], 3), [2], [3, 3]),
        new("Parameter(Parameter)", g => g.Parameter(Weights([2], 1, 2)), [2], [1, 2]),
        new("ConstParameter(Parameter)", g => g.ConstParameter(Weights([2], 1, 2)), [2], [1, 2]),
        new("Lookup(LookupParameter,int)", g => g.Lookup(Table(), 1), [2], [3, 4]),
        new("Lookup(LookupParameter,ints)", g => g.Lookup(Table(), [1, 0]), Dim.Of(2).WithBatch(2), [3, 4, 1, 2]),
        new("ConstLookup(LookupParameter,int)", g => g.ConstLookup(Table(), 0), [2], [1, 2]),
        new("ConstLookup(LookupParameter,ints)", g => g.ConstLookup(Table(), [0]), [2], [1, 2]),

        new("Add(Expression,Expression)", g => Add(V(g, 1, 2), V(g, 3, 5)), [2], [4, 7]),
        new("Add(Expression,double)", g => Add(V(g, 1, 2), 0.5), [2], [1.5f, 2.5f]),
        new("Subtract(Expression,Expression)", g => Subtract(V(g, 1, 2), V(g, 3, 5)), [2], [-2, -3]),
        new("CMult(Expression,Expression)", g => CMult(V(g, 1, 2), V(g, 3, 5)), [2], [3, 10]),
        new("CDiv(Expression,Expression)", g => CDiv(V(g, 1, 2), V(g, 4, 8)), [2], [0.25f, 0.25f]),
        new("Multiply(Expression,double)", g => Multiply(V(g, 1, 2), -2), [2], [-2, -4]),
        new("Multiply(Expression,Expression)", g => Multiply(M(g), V(g, 1, 1, 2)), [2], [14, 18]),
        new("AffineTransform(expressions)", g => AffineTransform(V(g, 1, 2), M(g), V(g, 1, 1, 2)), [2], [15, 20]),
        new("Sum(expressions)", g => Sum(V(g, 1, 2), V(g, 3, 5), V(g, 1, 1)), [2], [5, 8]),
        new("Average(expressions)", g => Average(V(g, 1, 2), V(g, 3, 6)), [2], [2, 4]),

        new("Negate(Expression)", g => Negate(V(g, 1, -2)), [2], [-1, 2]),
        new("Tanh(Expression)", g => Tanh(V(g, 0, 1)), [2], [0, 0.7615942f]),
        new("Logistic(Expression)", g => Logistic(V(g, 0, 1)), [2], [0.5f, 0.7310586f]),
        new("Rectify(Expression)", g => Rectify(V(g, -1, 2)), [2], [0, 2]),
        new("Exp(Expression)", g => Exp(V(g, 0, 1)), [2], [1, 2.7182817f]),
        new("Log(Expression)", g => Log(V(g, 1, 2)), [2], [0, 0.6931472f]),
        new("Square(Expression)", g => Square(V(g, -3, 2)), [2], [9, 4]),
        new("Sqrt(Expression)", g => Sqrt(V(g, 9, 4)), [2], [3, 2]),
        new("Dropout(Expression,double)", g => Dropout(V(g, 1, 2), 0), [2], [1, 2]),

        new("SumElems(Expression)", g => SumElems(M(g)), [1], [21]),
        new("SumBatches(Expression)", g => SumBatches(g.Input(Dim.Of(2).WithBatch(2), [1, 2, 3, 4])), [2], [4, 6]),
        new("DotProduct(Expression,Expression)", g => DotProduct(V(g, 1, 2), V(g, 3, 5)), [1], [13]),
        new("SquaredDistance(Expression,Expression)", g => SquaredDistance(V(g, 1, 2), V(g, 3, 5)), [1], [13]),

        new("Reshape(Expression,Dim)", g => Reshape(M(g), [3, 2]), [3, 2], [1, 2, 3, 4, 5, 6]),
        new("Transpose(Expression)", g => Transpose(M(g)), [3, 2], [1, 3, 5, 2, 4, 6]),
        new("Pick(Expression,int,int)", g => Pick(M(g), 1, 1), [2], [3, 4]),
        new(
            "Pick(Expression,ints,int)",
            g => Pick(g.Input(Dim.Of(2).WithBatch(2), [1, 2, 3, 4]), [1, 0]), Dim.Of(1).WithBatch(2), [2, 3]),
        new("PickRange(Expression,int,int,int)", g => PickRange(V(g, 1, 2, 3, 4), 1, 3), [2], [2, 3]),
        new("Concatenate(expressions,int)", g => Concatenate([V(g, 1, 2), V(g, 3, 4)], 1), [2, 2], [1, 2, 3, 4]),
        new("Concatenate(expressions)", g => Concatenate(V(g, 1, 2), V(g, 3)), [3], [1, 2, 3]),
        new("ConcatenateCols(expressions)", g => ConcatenateCols(V(g, 1, 2), V(g, 3, 4)), [2, 2], [1, 2, 3, 4]),
        new(
            "ConcatenateToBatch(expressions)",
            g => ConcatenateToBatch(V(g, 1, 2), V(g, 3, 4)), Dim.Of(2).WithBatch(2), [1, 2, 3, 4]),

        new("Softmax(Expression,int)", g => Softmax(V(g, 0, 0, 0.6931472f)), [3], [0.25f, 0.25f, 0.5f]),
        new("LogSoftmax(Expression)", g => LogSoftmax(V(g, 2, 2)), [2], [-0.6931472f, -0.6931472f]),
        new("PickNegLogSoftmax(Expression,int)", g => PickNegLogSoftmax(V(g, 2, 2), 1), [1], [0.6931472f]),
        new(
            "PickNegLogSoftmax(Expression,ints)",
            g => PickNegLogSoftmax(V(g, 0, 0, 0.6931472f), [0, 2]), Dim.Of(1).WithBatch(2), [1.3862944f, 0.6931472f]),
        new(
            "BinaryLogLoss(Expression,Expression)",
            g => BinaryLogLoss(V(g, 0.5f, 0.25f), V(g, 1, 0)), [1], [0.9808293f]),
        new("Hinge(Expression,int,double)", g => Hinge(V(g, 1, 3, 2), 2, 2), [1], [4]),

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
    ];

    /// <summary>Wrong calls, and what is then thrown.</summary>
    internal static IEnumerable<OpMisuse> Wrong =>
    [
        new("Input(Dim,floats)", g => g.Input([2, 2], [1, 2, 3]), typeof(ShapeMismatchException), "{2,2}"),
        new("Input(floats)", g => g.Input(ReadOnlySpan<float>.Empty), typeof(ArgumentException), "at least one"),
        new("Lookup(LookupParameter,int)", g => g.Lookup(Table(), 2), typeof(ArgumentOutOfRangeException), "2"),
        new("Lookup(LookupParameter,ints)", g => g.Lookup(Table(), [0, 7]), typeof(ArgumentOutOfRangeException), "7"),
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

        new("Dropout(Expression,double)", g => Dropout(V(g, 1), 1), typeof(ArgumentException), "1"),
        new("Dropout(Expression,double)", g => Dropout(V(g, 1), -0.5), typeof(ArgumentException), "-0.5"),
        new("Dropout(Expression,double)", g => Dropout(V(g, 1), double.NaN), typeof(ArgumentException), ""),

        Shape("DotProduct(Expression,Expression)", g => DotProduct(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        Shape("SquaredDistance(Expression,Expression)", g => SquaredDistance(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),

        Shape("Reshape(Expression,Dim)", g => Reshape(M(g), [4, 2]), "{2,3}", "{4,2}"),
        Shape("Transpose(Expression)", g => Transpose(g.Constant([2, 2, 2], 1)), "{2,2,2}"),
        new("Pick(Expression,int,int)", g => Pick(V(g, 1, 2), 2), typeof(ArgumentOutOfRangeException), "2"),
        new("Pick(Expression,int,int)", g => Pick(V(g, 1, 2), -1), typeof(ArgumentOutOfRangeException), "-1"),
        new("Pick(Expression,int,int)", g => Pick(V(g, 1, 2), 0, 7), typeof(ArgumentException), "7"),
        new("Pick(Expression,ints,int)", g => Pick(B(g, 2), [0, 5]), typeof(ArgumentOutOfRangeException), "5"),
        new("Pick(Expression,ints,int)", g => Pick(B(g, 2), [0, 0, 0]), typeof(DynNetException), ""),
        new(
            "PickRange(Expression,int,int,int)",
            g => PickRange(V(g, 1, 2), 0, 3), typeof(ArgumentOutOfRangeException), "3"),
        new("PickRange(Expression,int,int,int)", g => PickRange(V(g, 1, 2), 1, 1), typeof(ArgumentException), "1"),
        Shape("Concatenate(expressions,int)", g => Concatenate([V(g, 1, 2), V(g, 3)], 1), "{2}", "{1}"),
        Shape("Concatenate(expressions)", g => Concatenate(M(g), V(g, 3)), "{2,3}", "{1}"),
        new(
            "Concatenate(expressions)",
            _ => Concatenate(ReadOnlySpan<Expression>.Empty), typeof(ArgumentException), "at least one"),
        Shape("ConcatenateCols(expressions)", g => ConcatenateCols(V(g, 1, 2), V(g, 3)), "{2}", "{1}"),
        new("ConcatenateCols(expressions)", _ => ConcatenateCols([]), typeof(ArgumentException), "at least one"),
        Shape("ConcatenateToBatch(expressions)", g => ConcatenateToBatch(V(g, 1, 2), V(g, 3)), "{2}", "{1}"),
        new("ConcatenateToBatch(expressions)", _ => ConcatenateToBatch([]), typeof(ArgumentException), "at least one"),

        Shape("Softmax(Expression,int)", g => Softmax(g.Constant([2, 2, 2], 1)), "{2,2,2}"),
        new("Softmax(Expression,int)", g => Softmax(V(g, 1, 2), 2), typeof(ArgumentException), "2"),
        Shape("LogSoftmax(Expression)", g => LogSoftmax(g.Constant([2, 2, 2], 1)), "{2,2,2}"),
        Shape("PickNegLogSoftmax(Expression,int)", g => PickNegLogSoftmax(M(g), 0), "{2,3}"),
        new(
            "PickNegLogSoftmax(Expression,int)",
            g => PickNegLogSoftmax(V(g, 1, 2), 2), typeof(ArgumentOutOfRangeException), "2"),
        new(
            "PickNegLogSoftmax(Expression,ints)",
            g => PickNegLogSoftmax(V(g, 1, 2), [0, -1]), typeof(ArgumentOutOfRangeException), "-1"),
        Shape("BinaryLogLoss(Expression,Expression)", g => BinaryLogLoss(V(g, 1, 2), V(g, 1, 2, 3)), "{2}", "{3}"),
        new("Hinge(Expression,int,double)", g => Hinge(V(g, 1, 2), 2), typeof(ArgumentOutOfRangeException), "2"),
        new("Hinge(Expression,int,double)", g => Hinge(V(g, 1, 2), 0, -1), typeof(ArgumentException), "-1"),
        Shape("Hinge(Expression,int,double)", g => Hinge(M(g), 0), "{2,3}"),

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
    ];

    private static float Logistic1(double x) => (float)(1 / (1 + Math.Exp(-x)));

    private static Expression V(ComputationGraph graph, params float[] values) => graph.Input(values);

    /// <summary>{2,3}: 1 3 5 over 2 4 6.</summary>
    private static Expression M(ComputationGraph graph) => graph.Input([2, 3], [1, 2, 3, 4, 5, 6]);

    private static Expression B(ComputationGraph graph, int batch) => graph.Constant(Dim.Of(2).WithBatch(batch), 1);

    // The graph holds on to the native model, so these need no owner.
    private static Parameter Weights(Dim dim, params float[] values) =>
        new Model().AddParameters(dim, Initializer.FromArray(values));

    private static LookupParameter Table() =>
        new Model().AddLookupParameters(2, [2], Initializer.FromArray([1, 2, 3, 4]), "T");

    private static OpMisuse Shape(string method, Func<ComputationGraph, Expression> call, params string[] inMessage) =>
        new(method, call, typeof(ShapeMismatchException), inMessage);
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
