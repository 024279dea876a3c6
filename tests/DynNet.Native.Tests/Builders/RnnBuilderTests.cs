using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>What all builders of sequences have in common, each against its formula in elementary operations.</summary>
[TestFixture]
public sealed class RnnBuilderTests() : GraphFixture(seed: 1)
{
    private static IEnumerable<RnnCase> Cases => RnnCase.All;

    [TestCaseSource(nameof(Cases))]
    public void Makes_the_parameters_that_dynet_makes(object kind)
    {
        var rnn = (RnnCase)kind;
        using RnnBuilder builder = rnn.Make(_model, 2, 3, 4);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(builder.Layers, Is.EqualTo(2));
            Assert.That(builder.InputDim, Is.EqualTo(3));
            Assert.That(builder.HiddenDim, Is.EqualTo(4));
            Assert.That(builder.StateCount, Is.EqualTo(builder is LstmBuilder ? 4 : 2));
            Assert.That(_model.Parameters.Select(parameter => parameter.ToString()), Is.EqualTo(rnn.Parameters));
            Assert.That(builder.Parameters, Has.Count.EqualTo(2));
            Assert.That(builder.Parameters.SelectMany(layer => layer), Is.EqualTo(_model.Parameters));
        }
        // Glorot's interval for matrices, zeros for biases, ones for masks.
        foreach (Parameter parameter in _model.Parameters)
        {
            float[] values = parameter.Values.ToArray();
            bool isMask = builder is SparseLstmBuilder && builder.Parameters.Any(
                layer => parameter.Equals(layer[2]) || parameter.Equals(layer[3]));
            if (isMask)
                Assert.That(values, Is.All.EqualTo(1), parameter.Name);
            else if (parameter.Dim.Rank == 1)
                Assert.That(values, Is.All.Zero, parameter.Name);
            else
                Assert.That(values.Max(Math.Abs), Is.GreaterThan(0).And.LessThanOrEqualTo(Bound(parameter.Dim)));
        }

        static double Bound(Dim dim) => Math.Sqrt(6.0 / (dim.Rows + dim.Columns));
    }

    [TestCaseSource(nameof(Cases))]
    public void Steps_and_gradients_follow_the_formula(object kind)
    {
        var rnn = (RnnCase)kind;
        foreach (int layers in (ReadOnlySpan<int>)[1, 2, 3])
        {
            using var model = new Model(seed: layers);
            using RnnBuilder builder = rnn.Make(model, layers, 3, 4);
            Draw(model);
            Expression[] xs = Inputs();
            RnnState state = builder.InitialState(_graph);
            foreach (Expression x in xs)
                state = state.AddInput(x);
            (Expression output, Expression[] c, Expression[] h) = rnn.Steps(builder, _graph, xs);
            AssertSame(model, state, output, c, h);
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Given_values_are_a_start(object kind)
    {
        var rnn = (RnnCase)kind;
        using RnnBuilder builder = rnn.Make(_model, 2, 3, 4);
        Draw(_model);
        Expression[] values =
            [.. Enumerable.Range(1, builder.StateCount).Select(i => _graph.Input([0.1f * i, -0.2f, 0.3f, 0.4f * i]))];
        RnnState state = builder.InitialState(_graph, values);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(state.Count, Is.EqualTo(builder.StateCount));
            for (int i = 0; i < state.Count; i++)
                Assert.That(state.S(i), Is.EqualTo(values[i]));
            for (int layer = 0; layer < 2; layer++)
                Assert.That(state.H(layer), Is.EqualTo(values[builder.StateCount - 2 + layer]));
            Assert.That(() => state.S(-1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => state.S(state.Count), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => state.H(2), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
        Expression[] xs = Inputs();
        foreach (Expression x in xs)
            state = state.AddInput(x);
        (Expression output, Expression[] c, Expression[] h) =
            rnn.Steps(builder, _graph, xs, (values[..2], values[^2..]));
        AssertSame(_model, state, output, c, h);
    }

    [TestCaseSource(nameof(Cases))]
    public void States_can_be_replaced(object kind)
    {
        var rnn = (RnnCase)kind;
        using RnnBuilder builder = rnn.Make(_model, 2, 3, 4);
        Draw(_model);
        Expression x = Inputs()[0];
        Expression[] values = [.. Enumerable.Range(1, 4).Select(i => _graph.Input([0.1f * i, -0.2f, 0.3f, 0.4f]))];
        RnnState before = builder.InitialState(_graph).AddInput(x);
        Expression[] old = [.. Enumerable.Range(0, before.Count).Select(before.S)];
        Expression[] firstOld = old[..2], lastOld = old[^2..];
        bool isLstm = builder is LstmBuilder;

        RnnState h = before.SetH(values.AsSpan(0, 2));
        RnnState some = before.SetS(values.AsSpan(0, 2));
        RnnState all = before.SetS(values.AsSpan(0, isLstm ? 4 : 2));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Vectors(h), Is.EqualTo(isLstm ? [.. firstOld, .. values[..2]] : values[..2]));
            Assert.That(Vectors(some), Is.EqualTo(isLstm ? [.. values[..2], .. lastOld] : values[..2]));
            Assert.That(Vectors(all), Is.EqualTo(isLstm ? values : values[..2]));
            Assert.That(Vectors(before), Is.EqualTo(old), "the state before is as it was");
            float[] outputOfH =
                builder is DeepLstmBuilder ? Concatenate(values.AsSpan(0, 2)).ToArray() : values[1].ToArray();
            Assert.That(h.Output.ToArray(), Is.EqualTo(outputOfH));
            Assert.That(() => before.SetH(values[0]), Throws.ArgumentException);
            Assert.That(() => before.SetS(values.AsSpan(0, 3)), Throws.ArgumentException);
            Assert.That(() => before.SetS(), Throws.ArgumentException);
            Assert.That(() => before.SetH(values[0], x), Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => before.SetH(values[0], default), Throws.TypeOf<StaleExpressionException>());
        }
        (Expression output, Expression[] cs, Expression[] hs) =
            rnn.Steps(builder, _graph, [x], (isLstm ? firstOld : values[..2], values[..2]));
        AssertSame(_model, h.AddInput(x), output, cs, hs);

        static Expression[] Vectors(RnnState state) => [.. Enumerable.Range(0, state.Count).Select(state.S)];
    }

    [TestCaseSource(nameof(Cases))]
    public void Is_zeros_at_first_and_branches(object kind)
    {
        using RnnBuilder builder = ((RnnCase)kind).Make(_model, 2, 3, 4);
        Expression[] xs = Inputs();
        RnnState start = builder.InitialState(_graph);
        RnnState prefix = start.AddInput(xs[0]);
        RnnState left = prefix.AddInput(xs[1]);
        RnnState right = prefix.AddInput(xs[2]);
        float[] alone = start.Transduce([xs[0], xs[2]])[1].ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(start.Output.ToArray(), Is.EqualTo(new float[builder.OutputDim]));
            Assert.That(start.H(1).ToArray(), Is.EqualTo(new float[4]));
            Assert.That(right.Output.ToArray(), Is.EqualTo(alone));
            Assert.That(left.Output.ToArray(), Is.Not.EqualTo(alone));
            Assert.That(() => start.Transduce([]), Throws.ArgumentException.With.Message.Contains("empty"));
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Inputs_may_have_a_batch(object kind)
    {
        using RnnBuilder builder = ((RnnCase)kind).Make(_model, 2, 3, 4);
        Draw(_model);
        Expression both = _graph.Input(Dim.Of(3).WithBatch(2), [1, -2, 0.5f, 3, 4, -1]);
        Expression second = _graph.Input([3, 4, -1]);
        Expression output = builder.InitialState(_graph).AddInput(both).AddInput(both).Output;
        float[] expected = builder.InitialState(_graph).AddInput(second).AddInput(second).Output.ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(output.Dim, Is.EqualTo(Dim.Of(builder.OutputDim).WithBatch(2)));
            Assert.That(output.ToArray()[builder.OutputDim..], Is.EqualTo(expected).Within(1e-6));
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Dropout_holds_for_sequences_that_start_under_it(object kind)
    {
        using RnnBuilder builder = ((RnnCase)kind).Make(_model, 2, 3, 4);
        Draw(_model);
        Expression x = _graph.Input([1, 2, 3]);
        RnnState before = builder.InitialState(_graph);
        float[] without = before.AddInput(x).AddInput(x).Output.ToArray();
        builder.SetDropout(0.5);
        Assert.That(builder.InputDropout, Is.EqualTo(0.5));
        Assert.That(builder.HiddenDropout, Is.EqualTo(builder is GruBuilder ? 0 : 0.5));
        float[] startedBefore = before.AddInput(x).AddInput(x).Output.ToArray();
        float[][] sequences = [.. Enumerable.Range(0, 8).Select(_ => Read())];
        RnnState one = builder.InitialState(_graph).AddInput(x);
        bool drawsOnce = builder is not GruBuilder;
        float[] once = one.AddInput(x).Output.ToArray(), again = one.AddInput(x).Output.ToArray();
        builder.DisableDropout();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(startedBefore, Is.EqualTo(without));
            Assert.That(sequences.Select(values => string.Join(" ", values)).Distinct().Count(), Is.GreaterThan(1));
            if (drawsOnce)
                Assert.That(again, Is.EqualTo(once), "one sequence, one mask");
            Assert.That(Read(), Is.EqualTo(without));
            foreach (double rate in (ReadOnlySpan<double>)[1, -0.1, double.NaN])
                Assert.That(() => builder.SetDropout(rate), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(builder.InputDropout, Is.Zero);
            Assert.That(builder.HiddenDropout, Is.Zero);
        }

        float[] Read() => builder.InitialState(_graph).AddInput(x).AddInput(x).Output.ToArray();
    }

    [TestCaseSource(nameof(Cases))]
    public void Parameters_may_be_constants(object kind)
    {
        using RnnBuilder builder = ((RnnCase)kind).Make(_model, 2, 3, 4);
        Draw(_model);
        Parameter x = _model.AddParameters([3]);
        Expression trained = builder.InitialState(_graph).AddInput(x).AddInput(x).Output;
        Expression constant = builder.InitialState(_graph, update: false).AddInput(x).AddInput(x).Output;
        SumElems(trained).Backward();
        float[] expected = x.Gradient.ToArray();
        _model.ResetGradients();
        SumElems(constant).Backward();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(constant.ToArray(), Is.EqualTo(trained.ToArray()).Within(1e-6));
            Assert.That(x.Gradient.ToArray(), Is.EqualTo(expected).Within(1e-5));
            foreach (Parameter parameter in builder.Parameters.SelectMany(layer => layer))
                Assert.That(parameter.Gradient.ToArray(), Is.All.Zero, parameter.Name);
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Copies_the_parameters_of_another(object kind)
    {
        var rnn = (RnnCase)kind;
        using RnnBuilder builder = rnn.Make(_model, 2, 3, 4);
        using var otherModel = new Model(seed: 7);
        using RnnBuilder other = rnn.Make(otherModel, 2, 3, 4);
        using RnnBuilder smaller = rnn.Make(otherModel, 2, 3, 2);
        using RnnBuilder another = builder is GruBuilder
            ? new SimpleRnnBuilder(otherModel, 2, 3, 4)
            : new GruBuilder(otherModel, 2, 3, 4);
        float[] before = builder.Parameters[0][0].Values.ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => builder.CopyFrom(smaller), Throws.ArgumentException);
            Assert.That(() => builder.CopyFrom(another), Throws.ArgumentException);
            Assert.That(() => builder.CopyFrom(null!), Throws.ArgumentNullException);
            Assert.That(builder.Parameters[0][0].Values.ToArray(), Is.EqualTo(before), "failures change nothing");
        }
        builder.CopyFrom(other);
        Expression[] xs = Inputs();
        Assert.That(
            builder.InitialState(_graph).Transduce(xs)[^1].ToArray(),
            Is.EqualTo(other.InitialState(_graph).Transduce(xs)[^1].ToArray()));
    }

    [TestCaseSource(nameof(Cases))]
    public void A_file_with_dynets_names_fills_it(object kind)
    {
        var rnn = (RnnCase)kind;
        using RnnBuilder builder = rnn.Make(_model, 2, 3, 4);
        var text = new DyNetText();
        int which = 0;
        foreach (string line in rnn.Parameters)
        {
            string[] parts = line.Split(' ');
            int size = (int)_model[parts[0]].Dim.Size;
            double[] values = [.. Enumerable.Range(1, size).Select(i => (double)(float)Math.Sin(12.9898 * i + which))];
            text.Parameter(parts[0], _model[parts[0]].Dim.ToString(), values);
            which++;
        }
        _model.Populate(text.AsStream());
        using var stream = new MemoryStream();
        _model.Save(stream);
        stream.Position = 0;
        using var otherModel = new Model(seed: 5);
        using RnnBuilder other = rnn.Make(otherModel, 2, 3, 4);
        otherModel.Populate(stream);
        Expression[] xs = Inputs();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                builder.Parameters[1][0].Values[1],
                Is.EqualTo((float)Math.Sin(12.9898 * 2 + rnn.Parameters.Length / 2)));
            Assert.That(
                other.InitialState(_graph).Transduce(xs)[^1].ToArray(),
                Is.EqualTo(builder.InitialState(_graph).Transduce(xs)[^1].ToArray()));
        }
    }

    [TestCaseSource(nameof(Cases))]
    public void Wrong_use_is_an_error(object kind)
    {
        var rnn = (RnnCase)kind;
        ReadOnlySpan<(int, int, int)> sizes = [(0, 2, 2), (1, 0, 2), (1, 2, -1)];
        foreach ((int layers, int input, int hidden) in sizes)
            Assert.That(() => rnn.Make(_model, layers, input, hidden), Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(_model.Parameters, Is.Empty);
        Assert.That(() => rnn.Make(null!, 1, 2, 2), Throws.ArgumentNullException);
        RnnBuilder builder = rnn.Make(_model, 1, 3, 4);
        RnnState state = builder.InitialState(_graph);
        using var other = new ComputationGraph();
        Expression foreign = other.Input([1, 2, 3]);
        Expression x = Inputs()[0];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => state.AddInput(_graph.Input([1, 2])),
                Throws.TypeOf<ShapeMismatchException>().With.Message.Contains("{2}").And.Message.Contains("{3}"));
            Assert.That(() => state.AddInput(foreign), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => state.AddInput(default), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => default(RnnState).AddInput(x), Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => default(RnnState).Output, Throws.TypeOf<StaleExpressionException>());
            Assert.That(() => builder.InitialState(null!), Throws.ArgumentNullException);
            Assert.That(
                () => builder.InitialState(_graph, Enumerable.Repeat(x, builder.StateCount + 1).ToArray()),
                Throws.ArgumentException);
            Assert.That(
                () => builder.InitialState(_graph, Enumerable.Repeat(x, builder.StateCount).ToArray()),
                Throws.TypeOf<ShapeMismatchException>());
        }
        builder.Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => builder.InitialState(_graph), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => state.AddInput(x), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => builder.SetDropout(0.5), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(builder.Dispose, Throws.Nothing, "a second time");
            Assert.That(_model.Parameters, Is.Not.Empty);
        }
        _graph.Dispose();
        Assert.That(() => state.Output.ToArray(), Throws.TypeOf<ObjectDisposedException>());
    }

    /// <summary>Fills all parameters but masks, which are of ones.</summary>
    private static void Draw(Model model) => BuilderChecks.Fill(
        model, parameter => parameter.Dim.Rank == 1 || !parameter.Values.ToArray().All(value => value == 1));

    private Expression[] Inputs() =>
        [_graph.Input([1, -2, 0.5f]), _graph.Input([0.3f, 0.1f, -0.7f]), _graph.Input([-1, 0.25f, 2])];

    private static void AssertSame(
        Model model, RnnState state, Expression output, Expression[] c, Expression[] h)
    {
        using (Assert.EnterMultipleScope())
        {
            for (int layer = 0; layer < h.Length; layer++)
            {
                Assert.That(state.H(layer).ToArray(), Is.EqualTo(h[layer].ToArray()).Within(1e-5));
                if (state.Count > h.Length)
                    Assert.That(state.S(layer).ToArray(), Is.EqualTo(c[layer].ToArray()).Within(1e-5));
            }
        }
        BuilderChecks.AssertSame(model, state.Output, output);
    }
}
