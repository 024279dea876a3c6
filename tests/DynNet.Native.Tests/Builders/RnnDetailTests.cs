using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>What dropout drops, second inputs, and both directions.</summary>
[TestFixture]
public sealed class RnnDetailTests() : GraphFixture(seed: 1)
{
    [Test]
    public void A_second_input_is_added_in_each_layer()
    {
        using var builder = new SimpleRnnBuilder(_model, 2, 3, 4, supportLags: true);
        using var without = new SimpleRnnBuilder(_model, 2, 3, 4);
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        Expression lag = _graph.Input([0.5f, -0.5f, 1, 0.25f]);
        RnnState start = builder.InitialState(_graph);
        RnnState state = builder.AddInput(builder.AddInput(start, xs[0], lag), xs[1], lag);
        Expression[] h = [_graph.Constant([4], 0), _graph.Constant([4], 0)];
        foreach (Expression input in xs[..2])
        {
            Expression x = input;
            for (int layer = 0; layer < 2; layer++)
            {
                IReadOnlyList<Parameter> p = builder.Parameters[layer];
                h[layer] = x = Tanh(p[0] * x + p[1] * h[layer] + p[2] + p[3] * lag);
            }
        }
        BuilderChecks.AssertSame(_model, state.Output, h[1]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(builder.SupportsLags, Is.True);
            Assert.That(builder.Parameters[0], Has.Count.EqualTo(4));
            Assert.That(without.SupportsLags, Is.False);
            Assert.That(without.Parameters[0], Has.Count.EqualTo(3));
            Assert.That(() => without.AddInput(start, xs[0], lag), Throws.ArgumentException);
            Assert.That(
                () => without.AddInput(without.InitialState(_graph), xs[0], lag), Throws.InvalidOperationException);
            Assert.That(() => builder.AddInput(start, xs[0], xs[1]), Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => builder.AddInput(default, xs[0], lag), Throws.TypeOf<StaleExpressionException>());
        }
    }

    [Test]
    public void Masks_are_for_inputs_and_for_what_recurs()
    {
        const int Size = 64;
        using var builder = new SimpleRnnBuilder(_model, 1, Size, Size);
        float[] identity = new float[Size * Size];
        for (int i = 0; i < Size; i++)
            identity[i * Size + i] = 1;
        builder.Parameters[0][0].SetValues(identity);
        builder.Parameters[0][1].SetValues(identity);
        Expression x = _graph.Constant([Size], 0.5), zeros = _graph.Constant([Size], 0);

        builder.SetDropout(0.75, 0);
        RnnState dropped = builder.InitialState(_graph).AddInput(x);
        float[] first = dropped.Output.ToArray();
        float[] kept = [(float)Math.Tanh(0.5 / 0.25), 0];
        Assert.That(first.All(value => kept.Any(each => Math.Abs(value - each) < 1e-6)), Is.True);
        Assert.That(first.Count(value => value == 0), Is.InRange(34, 61));

        builder.SetDropout(0, 0.5);
        RnnState recurrent = builder.InitialState(_graph).AddInput(x);
        float[] whole = recurrent.Output.ToArray();
        float[] next = recurrent.AddInput(zeros).Output.ToArray();
        float[] last = recurrent.AddInput(zeros).AddInput(x).Output.ToArray();
        float h1 = (float)Math.Tanh(0.5), h2 = (float)Math.Tanh(h1 / 0.5);
        float h3 = (float)Math.Tanh(h2 / 0.5 + 0.5);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(whole, Is.All.EqualTo(h1).Within(1e-6), "nothing recurs at the first input");
            for (int i = 0; i < Size; i++)
            {
                bool isKept = next[i] != 0;
                Assert.That(next[i], Is.EqualTo(isKept ? h2 : 0).Within(1e-6));
                Assert.That(last[i], Is.EqualTo(isKept ? h3 : h1).Within(1e-6), "the same mask at each step");
            }
            Assert.That(next.Count(value => value == 0), Is.InRange(16, 48));
        }
    }

    [Test]
    public void A_mask_is_drawn_for_each_batch_element()
    {
        using var builder = new SimpleRnnBuilder(_model, 1, 64, 4);
        builder.SetDropout(0.5, 0);
        Expression x = _graph.Constant(Dim.Of(64).WithBatch(2), 1);
        float[] output = builder.InitialState(_graph).AddInput(x).Output.ToArray();
        float[] second = output[4..];
        Assert.That(output[..4], Is.Not.EqualTo(second));
    }

    [Test]
    public void The_gru_drops_its_output_but_not_its_state()
    {
        const int Size = 64;
        using var builder = new GruBuilder(_model, 1, 3, Size);
        builder.SetDropout(0.5);
        RnnState state = builder.InitialState(_graph).AddInput(Inputs()[0]);
        float[] h = state.H(0).ToArray(), output = state.Output.ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(output.Count(value => value == 0), Is.InRange(12, 52));
            for (int i = 0; i < Size; i++)
                Assert.That(output[i], Is.Zero.Or.EqualTo(2 * h[i]).Within(1e-6));
        }
    }

    [Test]
    public void Both_directions_are_put_together()
    {
        using var builder = new BidirectionalBuilder(
            _model, 2, 3, 4, (model, input, hidden) => new GruBuilder(model, 1, input, hidden));
        BuilderChecks.Fill(_model);
        Expression[] xs = Inputs();
        IReadOnlyList<Expression> outputs = builder.Transduce(_graph, xs);
        Expression[] expected = xs;
        foreach ((RnnBuilder forward, RnnBuilder backward) in builder.Layers)
        {
            IReadOnlyList<Expression> ahead = forward.InitialState(_graph).Transduce(expected);
            Expression[] back =
                [.. backward.InitialState(_graph).Transduce(expected.AsEnumerable().Reverse()).Reverse()];
            expected = [.. ahead.Zip(back, (left, right) => Concatenate(left, right))];
        }
        using (Assert.EnterMultipleScope())
        {
            Assert.That(builder.InputDim, Is.EqualTo(3));
            Assert.That(builder.OutputDim, Is.EqualTo(4));
            Assert.That(outputs, Has.Count.EqualTo(3));
            for (int i = 0; i < 3; i++)
                Assert.That(outputs[i].ToArray(), Is.EqualTo(expected[i].ToArray()));
            Assert.That(_model.Parameters[0].Name, Is.EqualTo("/gru-builder/_0"));
            Assert.That(_model.Parameters[9].Name, Is.EqualTo("/gru-builder_1/_0"));
            Assert.That(_model.Parameters[18].ToString(), Is.EqualTo("/gru-builder_2/_0 {2,4}"));
        }
        builder.SetDropout(0.5);
        float[] dropped = builder.Transduce(_graph, xs)[0].ToArray();
        builder.DisableDropout();
        Assert.That(dropped, Is.Not.EqualTo(outputs[0].ToArray()));
        Assert.That(builder.Transduce(_graph, xs)[0].ToArray(), Is.EqualTo(outputs[0].ToArray()));
    }

    [Test]
    public void Directions_may_be_of_different_kinds()
    {
        using var forward = new VanillaLstmBuilder(_model, 1, 3, 4);
        using var backward = new DeepLstmBuilder(_model, 2, 3, 2);
        using var wrong = new GruBuilder(_model, 1, 2, 2);
        var builder = new BidirectionalBuilder(forward, backward);
        Expression[] xs = Inputs();
        float[] both = builder.Transduce(_graph, xs)[1].ToArray();
        float[] ahead = forward.InitialState(_graph).AddInput(xs[0]).AddInput(xs[1]).Output.ToArray();
        float[] back = backward.InitialState(_graph).AddInput(xs[2]).AddInput(xs[1]).Output.ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(builder.OutputDim, Is.EqualTo(8));
            Assert.That(both, Is.EqualTo((float[])[.. ahead, .. back]));
            builder.Transduce(_graph, xs[..2], [], out var ends);
            Assert.That(ends[0].Forward.Output.ToArray(), Is.EqualTo(ahead), "the forward builder has read both");
            Assert.That(
                builder.Transduce(_graph, xs[2..], ends, out _)[0].ToArray()[..4],
                Is.EqualTo(forward.InitialState(_graph).Transduce(xs)[2].ToArray()), "and goes on from there");
            Assert.That(
                () => builder.Transduce(_graph, xs, [ends[0], ends[0]], out _),
                Throws.ArgumentException.With.Message.Contain("2 pairs of states for 1 layers"));
            Assert.That(() => builder.Transduce(_graph, []), Throws.ArgumentException.With.Message.Contains("empty"));
            Assert.That(() => new BidirectionalBuilder(forward, wrong), Throws.ArgumentException);
            Assert.That(() => new BidirectionalBuilder(forward, forward), Throws.ArgumentException);
            Assert.That(
                () => new BidirectionalBuilder(_model, 1, 3, 5, (model, input, hidden) => wrong),
                Throws.ArgumentException);
        }
        builder.Dispose();
        Assert.That(() => forward.InitialState(_graph), Throws.TypeOf<ObjectDisposedException>());
    }

    private Expression[] Inputs() =>
        [_graph.Input([1, -2, 0.5f]), _graph.Input([0.3f, 0.1f, -0.7f]), _graph.Input([-1, 0.25f, 2])];
}
