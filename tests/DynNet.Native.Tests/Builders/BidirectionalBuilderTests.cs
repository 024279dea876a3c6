using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Both directions: parameters, constants, copies, dropout, and what a function may make.</summary>
[TestFixture]
public sealed class BidirectionalBuilderTests() : GraphFixture(seed: 1)
{
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
            Assert.That(() => builder.SetDropout(1), Throws.TypeOf<ArgumentOutOfRangeException>());
        }

        float[] Read() => builder.Transduce(_graph, [x])[0].ToArray();
    }

    [Test]
    public void A_decoder_starts_with_the_vectors_of_an_encoder()
    {
        using BidirectionalBuilder encoder = Make(_model), decoder = Make(_model);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        encoder.Transduce(_graph, xs, [], out var ends);
        (RnnState, RnnState)[] swapped = [.. ends.Select(end => (end.Backward, end.Forward))];
        foreach (IReadOnlyList<(RnnState Forward, RnnState Backward)> starts in
            (IReadOnlyList<(RnnState, RnnState)>[])[ends, swapped])
        {
            Expression[] expected = xs;
            for (int layer = 0; layer < 2; layer++)
            {
                (RnnBuilder forward, RnnBuilder backward) = decoder.Layers[layer];
                IReadOnlyList<Expression> ahead =
                    forward.InitialState(_graph, starts[layer].Forward.S(0)).Transduce(expected);
                IEnumerable<Expression> back = backward.InitialState(_graph, starts[layer].Backward.S(0))
                    .Transduce(expected.AsEnumerable().Reverse()).Reverse();
                expected = [.. ahead.Zip(back, (left, right) => Concatenate(left, right))];
            }
            IReadOnlyList<Expression> found = decoder.Transduce(_graph, xs, starts, out var next);
            BuilderChecks.AssertSame(_model, Sum(found), Sum(expected));
            using (Assert.EnterMultipleScope())
            {
                Assert.That(next.Select(end => end.Forward.Builder), Is.EqualTo(decoder.Layers.Select(l => l.Forward)));
                Assert.That(
                    next.Select(end => end.Backward.Builder), Is.EqualTo(decoder.Layers.Select(l => l.Backward)));
            }
        }
        // Directions of its own that are swapped are foreign too.
        decoder.Transduce(_graph, xs, [], out var own);
        decoder.Transduce(_graph, xs, [.. own.Select(end => (end.Backward, end.Forward))], out var last);
        Assert.That(last[0].Forward.Builder, Is.SameAs(decoder.Layers[0].Forward));
    }

    [Test]
    public void States_of_others_that_do_not_fit_are_an_error()
    {
        using BidirectionalBuilder builder = Make(_model), wider = Make(_model, outputDim: 6);
        using var lstms = new BidirectionalBuilder(
            _model, 2, 3, 4, (model, input, hidden) => new VanillaLstmBuilder(model, 1, input, hidden));
        using var otherGraph = new ComputationGraph();
        Expression[] xs = Inputs();
        builder.Transduce(_graph, xs, [], out var own);
        wider.Transduce(_graph, xs, [], out var wide);
        lstms.Transduce(_graph, xs, [], out var two);
        builder.Transduce(otherGraph, [otherGraph.Input([1, 2, 3])], [], out var elsewhere);
        long before = _graph.NodeCount;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => builder.Transduce(_graph, xs, [own[0], (own[1].Forward, two[1].Backward)], out _),
                Throws.ArgumentException.With.Message.Contains("layer 1, backward").And.Message.Contains("2 vectors")
                    .And.Message.Contains("GruBuilder starts with 1"));
            Assert.That(
                () => builder.Transduce(_graph, xs, [(wide[0].Forward, own[0].Backward), own[1]], out _),
                Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("layer 0, forward")
                    .And.Message.Contains("{3}").And.Message.Contains("{2}"));
            Assert.That(
                () => builder.Transduce(_graph, xs, elsewhere, out _), Throws.TypeOf<StaleExpressionException>());
            Assert.That(
                () => builder.Transduce(_graph, xs, [own[0], default], out _),
                Throws.TypeOf<StaleExpressionException>());
            Assert.That(_graph.NodeCount, Is.EqualTo(before), "nothing is recorded");
        }
    }

    [Test]
    public void Nobody_changes_what_it_gives()
    {
        using BidirectionalBuilder builder = Make(_model);
        IReadOnlyList<Expression> outputs = builder.Transduce(_graph, Inputs(), [], out var ends);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(outputs, Is.Not.InstanceOf<Expression[]>());
            Assert.That(ends, Is.Not.InstanceOf<(RnnState, RnnState)[]>());
            Assert.That(
                builder.Layers[0].Forward.InitialState(_graph).Transduce(Inputs()),
                Is.Not.InstanceOf<List<Expression>>());
        }
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_copy_that_fails_half_way_changes_nothing(bool ofSource)
    {
        using Model second = new(seed: 2), thirdModel = new(seed: 3), fourth = new(seed: 4);
        using BidirectionalBuilder builder = OfTwo(_model, second), other = OfTwo(thirdModel, fourth);
        BuilderChecks.Fill(thirdModel);
        float[][] before = [.. _model.Parameters.Select(parameter => parameter.Values.ToArray())];
        (ofSource ? fourth : second).Dispose();
        Assert.That(() => builder.CopyFrom(other), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(_model.Parameters.Select(parameter => parameter.Values.ToArray()), Is.EqualTo(before));

        static BidirectionalBuilder OfTwo(Model first, Model second) =>
            new(new GruBuilder(first, 1, 3, 2), new GruBuilder(second, 1, 3, 2));
    }

    [Test]
    public void Dropout_that_one_cannot_have_none_has()
    {
        using BidirectionalBuilder builder = Make(_model, layers: 1, outputDim: 64);
        RnnBuilder forward = builder.Layers[0].Forward;
        BuilderChecks.Fill(_model);
        Expression x = _graph.Input([1, -2, 0.5f]);
        float[] whole = Read();
        builder.Layers[0].Backward.Dispose();
        Assert.That(() => builder.SetDropout(0.5), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(Read(), Is.EqualTo(whole));
        forward.SetDropout(0.5);
        Assert.That(builder.DisableDropout, Throws.TypeOf<ObjectDisposedException>());
        Assert.That(Read(), Is.Not.EqualTo(whole));

        float[] Read() => forward.InitialState(_graph).AddInput(x).Output.ToArray();
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
            Assert.That(
                () => new BidirectionalBuilder(_model, 1, 0, 4, MakeGru), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(
                () => new BidirectionalBuilder(_model, 0, 3, 4, MakeGru), Throws.TypeOf<ArgumentOutOfRangeException>());
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

    private Expression[] Inputs() =>
        [_graph.Input([1, -2, 0.5f]), _graph.Input([0.3f, 0.1f, -0.7f]), _graph.Input([-1, 0.25f, 2])];

    private static GruBuilder MakeGru(Model model, int input, int hidden) => new GruBuilder(model, 1, input, hidden);

    private static BidirectionalBuilder Make(Model model, int layers = 2, int outputDim = 4) =>
        new(model, layers, 3, outputDim, MakeGru);
}
