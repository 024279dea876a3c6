using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>
/// What a graph tells of itself: choices read off values, gradients against differences, a drawing, values forgotten.
/// </summary>
[TestFixture]
public sealed class InspectionTests() : GraphFixture(seed: 1)
{
    [Test]
    public void ArgMax_of_a_vector_is_one_index() =>
        Assert.That(_graph.Input([1, 4, 4, 2]).ArgMax(), Is.EqualTo(1));

    [Test]
    public void ArgMax_and_top_k_go_along_a_dimension()
    {
        Expression x = _graph.Input(Dim.Of(2, 3).WithBatch(2), [1, 9, 5, 4, 3, 6, 0, 1, 2, 3, 4, 5]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(x.ArgMax(0), Is.EqualTo(new[] { 1, 0, 1, 1, 1, 1 }));
            Assert.That(x.ArgMax(1), Is.EqualTo(new[] { 1, 0, 2, 2 }));
            Assert.That(x.TopK(2, 1), Is.EqualTo(new[] { 1, 0, 2, 2, 2, 2, 1, 1 }));
        }
    }

    [Test]
    public void Choices_refuse_what_does_not_fit()
    {
        Expression matrix = _graph.Input([2, 2], [1, 2, 3, 4]);
        Expression nothing = _graph.Input([float.NegativeInfinity]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => matrix.ArgMax(), Throws.TypeOf<ShapeMismatchException>().With.Message.Contain("{2,2}"));
            Assert.That(() => matrix.Sample(), Throws.TypeOf<ShapeMismatchException>().With.Message.Contain("{2,2}"));
            Assert.That(() => matrix.TopK(3), Throws.ArgumentException.With.Message.Contain("top_k: 3"));
            Assert.That(() => matrix.TopK(0), Throws.ArgumentException);
            Assert.That(() => matrix.TopK(int.MaxValue), Throws.ArgumentException);
            Assert.That(() => matrix.Sample(int.MaxValue), Throws.ArgumentException);
            Assert.That(() => matrix.ArgMax(7), Throws.ArgumentException.With.Message.Contain("dimension 7"));
            Assert.That(() => matrix.Sample(0), Throws.ArgumentException);
            Assert.That(() => nothing.Sample(), Throws.TypeOf<NotFiniteNumberException>());
            Assert.That(() => default(Expression).ArgMax(), Throws.TypeOf<StaleExpressionException>());
        }
    }

    [Test]
    public void Samples_follow_the_probabilities_and_the_seed()
    {
        const int Draws = 20000;
        Expression x = LogSoftmax(_graph.Input([0, MathF.Log(3)]));
        int[] drawn = x.Sample(Draws);
        using var other = new ComputationGraph(seed: 1);
        int[] again = LogSoftmax(other.Input([0, MathF.Log(3)])).Sample(Draws);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(drawn.Average(), Is.EqualTo(0.75).Within(5 * Math.Sqrt(0.75 * 0.25 / Draws)));
            Assert.That(again, Is.EqualTo(drawn));
            Assert.That(x.Sample(Draws), Is.Not.EqualTo(drawn));
            Assert.That(_graph.Input([float.NegativeInfinity, 0]).Sample(), Is.EqualTo(1));
        }
    }

    [Test]
    public void Gradients_are_checked()
    {
        Parameter w = _model.AddParameters([3, 2]);
        float[] before = w.Values.ToArray();
        Expression right = SumElems(Square(Tanh(w * _graph.Input([1, 2]))));
        GradientCheck found = GradientCheck.Run(right, _model);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(found.Passed, Is.True, found.Report);
            Assert.That(found.Elements, Is.EqualTo(6));
            Assert.That(w.Values.ToArray(), Is.EqualTo(before));
        }
    }

    [Test]
    public void Gradients_that_are_no_differences_are_told()
    {
        Parameter zero = _model.AddParameters([2], Initializer.Constant(0), "zero");
        GradientCheck found = GradientCheck.Run(SumElems(Rectify(_graph.Parameter(zero))), _model, most: 1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(found.Passed, Is.False);
            Assert.That(found.Elements, Is.EqualTo(1));
            Assert.That(found.Failed, Is.EqualTo(1));
            Assert.That(found.Report, Does.Contain("/zero, element 0: gradient 0, difference 0.5"));
        }
    }

    [Test]
    public void Gradient_check_refuses_what_is_no_check()
    {
        Expression vector = _graph.Parameter(_model.AddParameters([2]));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => GradientCheck.Run(vector, _model), Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => GradientCheck.Run(SumElems(vector), _model, step: 0), Throws.ArgumentException);
            Assert.That(() => GradientCheck.Run(SumElems(vector), null!), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void The_drawing_has_each_node_and_edge()
    {
        Expression x = _graph.Input([1, 2]);
        _ = Add(x, Square(x));
        Assert.That(
            _graph.ToGraphviz(),
            Does.StartWith("digraph {").And.Contain("0 [label=\"0: input {2}\"];").And.Contain("2 [label=\"2: add {2}\"];")
                .And.Contain("0 -> 1;").And.Contain("0 -> 2;").And.Contain("1 -> 2;"));
    }

    [Test]
    public void Invalidating_computes_anew()
    {
        Expression x = _graph.Input([2]);
        Expression y = Square(x);
        Assert.That(y.ScalarValue(), Is.EqualTo(4));
        x.SetInput(3);
        Assert.That(y.ScalarValue(), Is.EqualTo(4));
        _graph.Invalidate();
        Assert.That(y.ScalarValue(), Is.EqualTo(9));
    }
}
