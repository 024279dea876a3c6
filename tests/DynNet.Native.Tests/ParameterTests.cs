namespace DynNet.Native.Tests;

/// <summary>Parameters: their values, gradients and place in expressions.</summary>
[TestFixture]
public sealed class ParameterTests
{
    private Model _model = null!;

    [SetUp]
    public void MakeModel() => _model = new Model();

    [TearDown]
    public void DisposeModel() => _model.Dispose();

    [Test]
    public void Says_its_name_and_shape()
    {
        Parameter parameter = _model.AddParameters([8, 2], name: "W");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(parameter.Name, Is.EqualTo("/W"));
            Assert.That(parameter.Dim, Is.EqualTo(Dim.Of(8, 2)));
            Assert.That(parameter.ToString(), Is.EqualTo("/W {8,2}"));
        }
    }

    [Test]
    public void Values_can_be_replaced_and_every_graph_sees_it_at_its_next_forward()
    {
        Parameter parameter = _model.AddParameters([2], Initializer.Constant(1));
        using var graph = new ComputationGraph();
        Expression sum = Ops.SumElems(graph.Parameter(parameter));
        Assert.That(sum.ScalarValue(), Is.EqualTo(2f));

        parameter.SetValues([3, 4]);
        sum.Forward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(parameter.Values.ToArray(), Is.EqualTo(new float[] { 3, 4 }));
            Assert.That(sum.ScalarValue(), Is.EqualTo(7f));
        }
    }

    [Test]
    public void Copies_of_values_and_gradient_stay_as_they_were()
    {
        Parameter w = _model.AddParameters([2], Initializer.FromArray([2, 3]));
        using var graph = new ComputationGraph();
        Ops.DotProduct(w, graph.Input([5, 7])).Backward();
        float[] values = w.ToArray(), gradient = w.GradientToArray(), copied = [0, 0, 9];
        w.CopyTo(copied);
        w.Zero();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(values, Is.EqualTo(new float[] { 2, 3 }));
            Assert.That(gradient, Is.EqualTo(new float[] { 5, 7 }));
            Assert.That(copied, Is.EqualTo(new float[] { 2, 3, 9 }));
            Assert.That(() => w.CopyTo(new float[1]), Throws.ArgumentException);
        }
    }

    [Test]
    public void Values_of_another_number_are_an_error_and_change_nothing()
    {
        Parameter parameter = _model.AddParameters([2, 2], Initializer.Constant(1), "W");
        Assert.That(
            () => parameter.SetValues([1, 2, 3]),
            Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("/W")
                .And.Message.Contains("4").And.Message.Contains("3"));
        Assert.That(parameter.Values.ToArray(), Is.All.EqualTo(1f));
    }

    [Test]
    public void Gradient_accumulates_over_backwards_and_graphs()
    {
        Parameter w = _model.AddParameters([2], Initializer.FromArray([2, 3]));
        for (int i = 0; i < 3; i++)
        {
            using var graph = new ComputationGraph();
            Expression loss = Ops.DotProduct(w, graph.Input([1, 10]));
            loss.Backward();
            loss.Backward();
        }
        Assert.That(w.Gradient.ToArray(), Is.EqualTo(new float[] { 6, 60 }));
    }

    [Test]
    public void Gradient_is_zeros_before_any_backward()
    {
        Parameter w = _model.AddParameters([2, 2]);
        Assert.That(w.Gradient.ToArray(), Is.EqualTo(new float[4]));
    }

    [Test]
    public void Is_one_node_of_a_graph_however_often_it_is_used()
    {
        Parameter w = _model.AddParameters([2, 2]);
        using var graph = new ComputationGraph();
        Expression x = graph.Input([1, 2]);
        long before = graph.NodeCount;
        _ = w * x;
        _ = w * x;
        Expression first = graph.Parameter(w);
        Expression second = graph.Parameter(w);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(graph.NodeCount - before, Is.EqualTo(3), "two products and one parameter");
            Assert.That(first, Is.EqualTo(second));
        }
    }

    [Test]
    public void Takes_the_graph_of_the_other_operand()
    {
        Parameter w = _model.AddParameters([2, 2], Initializer.Identity);
        Parameter b = _model.AddParameters([2], Initializer.Constant(1));
        using var graph = new ComputationGraph();
        Expression y = w * graph.Input([3, 4]) + b;
        Assert.That(y.ToArray(), Is.EqualTo(new float[] { 4, 5 }));
    }

    [Test]
    public void Where_no_operand_names_a_graph_the_error_says_what_to_write()
    {
        Parameter w = _model.AddParameters([2, 2], name: "W");
        Parameter v = _model.AddParameters([2, 2], name: "V");
        Expression bare = w;
        using (Assert.EnterMultipleScope())
        {
            AssertNamesNoGraph(() => Ops.Tanh(w));
            AssertNamesNoGraph(() => Ops.Add(w, v));
            AssertNamesNoGraph(() => Ops.Sum(w, v, w));
            AssertNamesNoGraph(() => Ops.VanillaLstmGates(w, w, w, w, w));
            AssertNamesNoGraph(() => _ = 2 * bare);
            AssertNamesNoGraph(() => _ = 2 / bare);
            AssertNamesNoGraph(() => bare.ScalarValue());
            AssertNamesNoGraph(() => bare.ToArray());
            AssertNamesNoGraph(() => bare.Backward());
            AssertNamesNoGraph(() => bare.ToNative());
            AssertNamesNoGraph(() => _ = bare.Graph);
        }

        static void AssertNamesNoGraph(Action use) =>
            Assert.That(() => use(), Throws.ArgumentException.With.Message.Contains("graph.Parameter(W)"));
    }

    [Test]
    public void Has_a_shape_without_a_graph()
    {
        Expression bare = _model.AddParameters([2, 3]);
        Assert.That(bare.Dim, Is.EqualTo(Dim.Of(2, 3)));
    }

    [Test]
    public void No_parameter_is_no_operand()
    {
        Parameter none = null!;
        using var graph = new ComputationGraph();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => none * graph.Input([1, 2]), Throws.ArgumentNullException);
            Assert.That(() => graph.Parameter(none), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void Const_parameter_takes_part_without_a_gradient()
    {
        Parameter w = _model.AddParameters([2], Initializer.FromArray([2, 3]));
        using var graph = new ComputationGraph();
        Expression loss = Ops.DotProduct(graph.ConstParameter(w), graph.Parameter(w));
        loss.Backward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(loss.ScalarValue(), Is.EqualTo(13f));
            Assert.That(w.Gradient.ToArray(), Is.EqualTo(new float[] { 2, 3 }), "of one of the two operands");
        }
    }

    [Test]
    public void Of_a_disposed_model_is_an_error_everywhere()
    {
        var model = new Model();
        Parameter w = model.AddParameters([2], name: "W");
        model.Dispose();
        using var graph = new ComputationGraph();
        Expression x = graph.Input([1, 2]);
        using (Assert.EnterMultipleScope())
        {
            AssertDisposed(() => _ = w.Values.Length);
            AssertDisposed(() => _ = w.Gradient.Length);
            AssertDisposed(() => w.ToArray());
            AssertDisposed(() => w.CopyTo(new float[2]));
            AssertDisposed(() => w.GradientToArray());
            AssertDisposed(() => w.SetValues([1, 2]));
            AssertDisposed(() => graph.Parameter(w));
            AssertDisposed(() => graph.ConstParameter(w));
            AssertDisposed(() => _ = w + x);
            Assert.That(w.ToString(), Is.EqualTo("/W {2}"), "for a debugger");
        }

        static void AssertDisposed(Action use) =>
            Assert.That(() => use(), Throws.TypeOf<ObjectDisposedException>().With.Message.Contains("Model"));
    }

    [Test]
    public void Two_objects_for_one_parameter_are_equal()
    {
        Parameter w = _model.AddParameters([2], name: "W");
        Parameter v = _model.AddParameters([2], name: "V");
        Parameter again = _model["/W"];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(again.Equals(w), Is.True);
            Assert.That(again.GetHashCode(), Is.EqualTo(w.GetHashCode()));
            Assert.That(again.Equals((object)v), Is.False);
            Assert.That(again.Equals(null), Is.False);
        }
    }
}
