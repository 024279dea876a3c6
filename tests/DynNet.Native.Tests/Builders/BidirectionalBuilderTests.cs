using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Both directions: parameters, constants, copies, dropout, and what a function may make.</summary>
[TestFixture]
public sealed class BidirectionalBuilderTests
{
    private Model _model = null!;
    private ComputationGraph _graph = null!;

    [SetUp]
    public void MakeGraph()
    {
        _model = new Model();
        _graph = new ComputationGraph(seed: 1);
    }

    [TearDown]
    public void DisposeGraph()
    {
        _graph.Dispose();
        _model.Dispose();
    }

    [Test]
    public void Has_the_parameters_of_both_directions()
    {
        using BidirectionalBuilder builder = Make(_model);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(builder.Parameters, Has.Count.EqualTo(2));
            // Nine of each unit, and two units in a layer.
            Assert.That(builder.Parameters[0], Is.EqualTo(_model.Parameters.Take(18)));
            Assert.That(builder.Parameters[1], Is.EqualTo(_model.Parameters.Skip(18)));
        }
        using var forward = new VanillaLstmBuilder(_model, 1, 3, 4, layerNorm: true);
        using var backward = new SimpleRnnBuilder(_model, 2, 3, 2);
        using var mixed = new BidirectionalBuilder(forward, backward);
        Assert.That(
            mixed.Parameters[0],
            Is.EqualTo(
            (Parameter[])[
                .. forward.Parameters[0], .. forward.NormalizationParameters[0], .. backward.Parameters[0],
                .. backward.Parameters[1],
            ]));
    }

    [Test]
    public void Parameters_may_be_constants()
    {
        using BidirectionalBuilder builder = Make(_model);
        BuilderChecks.Fill(_model);
        Parameter x = _model.AddParameters([3]);
        Expression[] xs = [_graph.Parameter(x), _graph.Input([1, -2, 0.5f]), _graph.Parameter(x)];
        Expression trained = Sum([.. builder.Transduce(_graph, xs)]);
        Expression constant = Sum([.. builder.Transduce(_graph, xs, update: false)]);
        Expression withStarts = Sum([.. builder.Transduce(_graph, xs, [], out _, update: false)]);
        Run(trained);
        float[] expected = x.Gradient.ToArray();
        Assert.That(builder.Parameters[1][0].Gradient.ToArray(), Has.Some.Not.Zero);
        foreach (Expression one in (Expression[])[constant, withStarts])
        {
            Run(one);
            using (Assert.EnterMultipleScope())
            {
                Assert.That(one.ToArray(), Is.EqualTo(trained.ToArray()).Within(1e-6));
                Assert.That(x.Gradient.ToArray(), Is.EqualTo(expected).Within(1e-5));
                foreach (Parameter parameter in builder.Parameters.SelectMany(layer => layer))
                    Assert.That(parameter.Gradient.ToArray(), Is.All.Zero, parameter.Name);
            }
        }

        void Run(Expression y)
        {
            _model.ResetGradients();
            SumElems(Square(y)).Backward();
        }
    }

    [Test]
    public void Copies_the_parameters_of_another()
    {
        using BidirectionalBuilder builder = Make(_model);
        using var otherModel = new Model(seed: 7);
        using BidirectionalBuilder other = Make(otherModel);
        BuilderChecks.Fill(otherModel);
        using BidirectionalBuilder longer = Make(otherModel, layers: 3), wider = Make(otherModel, outputDim: 6);
        using var kinds = new BidirectionalBuilder(
            otherModel, 2, 3, 4, (model, input, hidden) => new SimpleRnnBuilder(model, 1, input, hidden));
        float[][] before = [.. _model.Parameters.Select(parameter => parameter.Values.ToArray())];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => builder.CopyFrom(longer), Throws.ArgumentException.With.Message.Contains("3 layers"));
            Assert.That(() => builder.CopyFrom(wider), Throws.ArgumentException);
            Assert.That(
                () => builder.CopyFrom(kinds), Throws.ArgumentException.With.Message.Contains("SimpleRnnBuilder"));
            Assert.That(() => builder.CopyFrom(null!), Throws.ArgumentNullException);
            Assert.That(
                _model.Parameters.Select(parameter => parameter.Values.ToArray()), Is.EqualTo(before),
                "failures change nothing");
        }
        builder.CopyFrom(other);
        Assert.That(Read(builder), Is.EqualTo(Read(other)));

        float[] Read(BidirectionalBuilder from) =>
            from.Transduce(_graph, [_graph.Input([1, -2, 0.5f]), _graph.Input([0.3f, 0.1f, -0.7f])])[0].ToArray();
    }

    [Test]
    public void Dropout_is_of_both_directions()
    {
        using BidirectionalBuilder builder = Make(_model, layers: 1, outputDim: 64);
        BuilderChecks.Fill(_model);
        Expression x = _graph.Input([1, -2, 0.5f]);
        float[] whole = Read();
        builder.SetDropout(0.5);
        float[] dropped = Read();
        builder.DisableDropout();
        using (Assert.EnterMultipleScope())
        {
            // Gated units drop their output.
            Assert.That(dropped[..32].Count(value => value == 0), Is.InRange(4, 28));
            Assert.That(dropped[32..].Count(value => value == 0), Is.InRange(4, 28));
            Assert.That(Read(), Is.EqualTo(whole));
            Assert.That(() => builder.SetDropout(1), Throws.ArgumentException);
        }

        float[] Read() => builder.Transduce(_graph, [x])[0].ToArray();
    }

    [Test]
    public void What_the_function_makes_must_fit()
    {
        Parameter before = _model.AddParameters([2]);
        using var once = new GruBuilder(_model, 1, 3, 2);
        Parameter[] there = [.. _model.Parameters];
        using (Assert.EnterMultipleScope())
        {
            AssertRefused((_, _, _) => null!, "no builder");
            AssertRefused((model, input, hidden) => new GruBuilder(model, 1, input + 1, hidden), "inputs of 4");
            AssertRefused((model, input, hidden) => new GruBuilder(model, 1, input, hidden + 1), "outputs of 3");
            AssertRefused((_, _, _) => once, "the same GruBuilder");
            Assert.That(() => new BidirectionalBuilder(_model, 1, 0, 4, MakeGru), Throws.ArgumentException);
            Assert.That(() => new BidirectionalBuilder(_model, 0, 3, 4, MakeGru), Throws.ArgumentException);
            Assert.That(() => new BidirectionalBuilder(null!, 1, 3, 4, MakeGru), Throws.ArgumentNullException);
            Assert.That(() => new BidirectionalBuilder(_model, 1, 3, 4, null!), Throws.ArgumentNullException);
        }
        Assert.That(before.Values.ToArray(), Has.Length.EqualTo(2), "what there was is there");

        void AssertRefused(Func<Model, int, int, RnnBuilder> make, string message)
        {
            Assert.That(
                () => new BidirectionalBuilder(_model, 2, 3, 4, make),
                Throws.ArgumentException.With.Message.Contains(message));
            Assert.That(_model.Parameters, Is.EqualTo(there));
        }
    }

    [Test]
    public void A_function_that_fails_leaves_nothing()
    {
        using var fresh = new Model();
        fresh.AddParameters([2]);
        _model.AddParameters([2]);
        var made = new List<RnnBuilder>();
        Parameter? taken = null;
        Assert.That(
            () => new BidirectionalBuilder(_model, 2, 3, 4, (model, input, hidden) =>
            {
                if (made.Count == 3)
                    throw new TimeoutException("no more");
                made.Add(new VanillaLstmBuilder(model, 1, input, hidden));
                taken = made[0].Parameters[0][0];
                return made[^1];
            }),
            Throws.TypeOf<TimeoutException>().With.Message.EqualTo("no more"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_model.Parameters, Has.Count.EqualTo(1));
            Assert.That(_model.GetSubcollections(), Is.Empty);
            foreach (RnnBuilder builder in made)
                Assert.That(() => builder.InitialState(_graph), Throws.TypeOf<ObjectDisposedException>());
            // Nobody reaches memory that was given back.
            Assert.That(() => taken!.Values.Length, Throws.InvalidOperationException);
            Assert.That(() => taken!.Gradient.Length, Throws.InvalidOperationException);
            Assert.That(() => taken!.SetValues([1]), Throws.InvalidOperationException);
            Assert.That(taken!.Zero, Throws.InvalidOperationException);
            Assert.That(() => _graph.Parameter(taken!), Throws.InvalidOperationException);
            Assert.That(() => taken! * _graph.Input([1, 2, 3]), Throws.InvalidOperationException);
        }
        // The next builder is what it would have been.
        using BidirectionalBuilder next = Make(_model), expected = Make(fresh);
        Assert.That(
            _model.Parameters.Select(parameter => parameter.ToString()),
            Is.EqualTo(fresh.Parameters.Select(parameter => parameter.ToString())));
        Assert.That(
            _model.Parameters.Select(parameter => parameter.Values.ToArray()),
            Is.EqualTo(fresh.Parameters.Select(parameter => parameter.Values.ToArray())));
    }

    private static GruBuilder MakeGru(Model model, int input, int hidden) => new GruBuilder(model, 1, input, hidden);

    private static BidirectionalBuilder Make(Model model, int layers = 2, int outputDim = 4) =>
        new(model, layers, 3, outputDim, MakeGru);
}
