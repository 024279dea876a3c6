using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>States: values that branch.</summary>
[TestFixture]
public sealed class LstmStateTests
{
    private Model _model = null!;
    private ComputationGraph _graph = null!;
    private VanillaLstmBuilder _lstm = null!;

    [SetUp]
    public void MakeBuilder()
    {
        _model = new Model();
        _graph = new ComputationGraph();
        _lstm = new VanillaLstmBuilder(_model, 2, 2, 3);
    }

    [TearDown]
    public void DisposeBuilder()
    {
        _lstm.Dispose();
        _graph.Dispose();
        _model.Dispose();
    }

    [Test]
    public void Is_zeros_at_first()
    {
        LstmState state = _lstm.InitialState(_graph);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(state.Output.ToArray(), Is.EqualTo(new float[3]));
            Assert.That(state.C(0).ToArray(), Is.EqualTo(new float[3]));
            Assert.That(state.H(1).ToArray(), Is.EqualTo(new float[3]));
        }
    }

    [Test]
    public void Branches()
    {
        Expression a = _graph.Input([1, 2]);
        Expression b = _graph.Input([-3, 4]);
        LstmState prefix = _lstm.InitialState(_graph).AddInput(a);
        LstmState left = prefix.AddInput(a);
        LstmState right = prefix.AddInput(b);
        float[] leftAgain = _lstm.InitialState(_graph).AddInput(a).AddInput(a).Output.ToArray();
        float[] rightAgain = _lstm.InitialState(_graph).AddInput(a).AddInput(b).Output.ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(left.Output.ToArray(), Is.EqualTo(leftAgain));
            Assert.That(right.Output.ToArray(), Is.EqualTo(rightAgain));
            Assert.That(left.Output.ToArray(), Is.Not.EqualTo(right.Output.ToArray()));
        }
    }

    [Test]
    public void Transduces_a_sequence()
    {
        Expression[] xs = [_graph.Input([1, 2]), _graph.Input([-3, 4]), _graph.Input([0, 1])];
        IReadOnlyList<Expression> outputs = _lstm.InitialState(_graph).Transduce(xs);
        LstmState state = _lstm.InitialState(_graph);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outputs, Has.Count.EqualTo(3));
            for (int i = 0; i < 3; i++)
            {
                state = state.AddInput(xs[i]);
                Assert.That(outputs[i].ToArray(), Is.EqualTo(state.Output.ToArray()));
            }
        }
    }

    [Test]
    public void An_empty_sequence_is_an_error()
    {
        LstmState state = _lstm.InitialState(_graph);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => state.Transduce([]), Throws.ArgumentException.With.Message.Contains("empty"));
            Assert.That(() => state.Transduce(null!), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void A_wrong_input_is_an_error_with_its_shapes()
    {
        LstmState state = _lstm.InitialState(_graph);
        using var other = new ComputationGraph();
        Expression foreign = other.Input([1, 2]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => state.AddInput(_graph.Input([1, 2, 3])),
                Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("{3}").And.Message.Contains("{2}"));
            Assert.That(() => state.AddInput(foreign), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => state.AddInput(default), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => state.AddInput(_model.AddParameters([2])), Throws.Nothing, "the state names the graph");
        }
    }

    [Test]
    public void After_a_renewal_it_is_stale()
    {
        LstmState state = _lstm.InitialState(_graph).AddInput(_graph.Input([1, 2]));
        _graph.Renew();
        Expression x = _graph.Input([1, 2]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => state.AddInput(x), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => Tanh(state.Output), Throws.TypeOf<StaleExpressionException>());
        }
    }

    [Test]
    public void Default_is_an_error_everywhere()
    {
        LstmState none = default;
        Expression x = _graph.Input([1, 2]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => none.AddInput(x), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => none.Output, Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => none.C(0), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => none.H(0), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => none.Transduce([x]), Throws.TypeOf<StaleExpressionException>());
        }
    }

    [TestCase(-1)]
    [TestCase(2)]
    public void A_layer_that_does_not_exist_is_an_error(int layer)
    {
        LstmState state = _lstm.InitialState(_graph);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => state.C(layer), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => state.H(layer), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }

    [Test]
    public void Runs_in_both_directions()
    {
        using var backward = new VanillaLstmBuilder(_model, 1, 2, 3);
        Expression[] xs = [_graph.Input([1, 2]), _graph.Input([-3, 4])];
        IReadOnlyList<Expression> ahead = _lstm.InitialState(_graph).Transduce(xs);
        IReadOnlyList<Expression> back = backward.InitialState(_graph).Transduce(xs.Reverse());
        Expression both = Concatenate(ahead[0], back[1]);
        Assert.That(both.ToArray(), Is.EqualTo((float[])[.. ahead[0].ToArray(), .. back[1].ToArray()]));
    }
}
