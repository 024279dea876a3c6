using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>The LSTM builder: its parameters, steps and dropout.</summary>
[TestFixture]
public sealed class VanillaLstmBuilderTests : GraphFixture
{
    [Test]
    public void Makes_the_parameters_that_dynet_makes()
    {
        using var lstm = new VanillaLstmBuilder(_model, 2, 3, 5);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(lstm.Layers, Is.EqualTo(2));
            Assert.That(lstm.InputDim, Is.EqualTo(3));
            Assert.That(lstm.HiddenDim, Is.EqualTo(5));
            Assert.That(
                _model.Parameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(
                [
                    "/vanilla-lstm-builder/_0 {20,3}", "/vanilla-lstm-builder/_1 {20,5}",
                    "/vanilla-lstm-builder/_2 {20}",
                    "/vanilla-lstm-builder/_3 {20,5}", "/vanilla-lstm-builder/_4 {20,5}",
                    "/vanilla-lstm-builder/_5 {20}",
                ]));
        }
    }

    [TestCase(1)]
    [TestCase(2)]
    [TestCase(3)]
    [TestCase(5)]
    public void Steps_follow_the_formula(int layers)
    {
        using var lstm = new VanillaLstmBuilder(_model, layers, 3, 4);
        LstmReference reference = LstmReference.Of(_model);
        LstmState state = lstm.InitialState(_graph);
        for (int step = 0; step < 4; step++)
        {
            float[] x = [0.5f * step, -0.25f, 1 - step];
            state = state.AddInput(_graph.Input(x));
            reference.Step([.. x.Select(value => (double)value)]);
        }
        using (Assert.EnterMultipleScope())
        {
            Assert.That(state.Output.ToArray(), Is.EqualTo(reference.Output).Within(1e-5));
            for (int layer = 0; layer < layers; layer++)
            {
                Assert.That(state.C(layer).ToArray(), Is.EqualTo(reference.C(layer)).Within(1e-5));
                Assert.That(state.H(layer).ToArray(), Is.EqualTo(reference.H(layer)).Within(1e-5));
            }
        }
    }

    [Test]
    public void Its_own_operations_written_out_give_the_same()
    {
        using var lstm = new VanillaLstmBuilder(_model, 1, 3, 4);
        Parameter wx = _model["/vanilla-lstm-builder/_0"];
        Parameter wh = _model["/vanilla-lstm-builder/_1"];
        Parameter b = _model["/vanilla-lstm-builder/_2"];
        Expression x = _graph.Input([1, -2, 0.5f]);
        Expression h = _graph.Constant([4], 0);
        Expression c = _graph.Constant([4], 0);
        LstmState state = lstm.InitialState(_graph);
        for (int step = 0; step < 3; step++)
        {
            state = state.AddInput(x);
            Expression sums = wx * x + wh * h + b;
            Expression i = Logistic(PickRange(sums, 0, 4));
            Expression f = Logistic(PickRange(sums, 4, 8) + 1);
            Expression o = Logistic(PickRange(sums, 8, 12));
            Expression g = Tanh(PickRange(sums, 12, 16));
            c = CMult(f, c) + CMult(i, g);
            h = CMult(o, Tanh(c));
        }
        float[] byOperations = GradientOf(SumElems(h));
        float[] byBuilder = GradientOf(SumElems(state.Output));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(state.Output.ToArray(), Is.EqualTo(h.ToArray()).Within(1e-6));
            Assert.That(byBuilder, Is.EqualTo(byOperations).Within(1e-5));
        }

        float[] GradientOf(Expression loss)
        {
            _model.ResetGradients();
            loss.Backward();
            return [.. wx.Gradient, .. wh.Gradient, .. b.Gradient];
        }
    }

    [Test]
    public void Starts_from_given_values()
    {
        using var lstm = new VanillaLstmBuilder(_model, 2, 3, 2);
        Expression[] values = [_graph.Input([1, 2]), _graph.Input([3, 4]), _graph.Input([5, 6]), _graph.Input([7, 8])];
        LstmState state = lstm.InitialState(_graph, values);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(state.C(0).ToArray(), Is.EqualTo(new float[] { 1, 2 }));
            Assert.That(state.C(1).ToArray(), Is.EqualTo(new float[] { 3, 4 }));
            Assert.That(state.H(0).ToArray(), Is.EqualTo(new float[] { 5, 6 }));
            Assert.That(state.H(1).ToArray(), Is.EqualTo(new float[] { 7, 8 }));
            Assert.That(state.Output.ToArray(), Is.EqualTo(new float[] { 7, 8 }));
            Assert.That(() => lstm.InitialState(_graph, values[0]), Throws.ArgumentException);
            Assert.That(
                () => lstm.InitialState(_graph, values[0], values[1], values[2], _graph.Input([1, 2, 3])),
                Throws.TypeOf<ShapeMismatchException>());
            Assert.That(
                () => lstm.InitialState(_graph, values[0], default, values[2], values[3]),
                Throws.TypeOf<StaleExpressionException>());
        }
    }

    [Test]
    public void Starts_from_parameters()
    {
        using var lstm = new VanillaLstmBuilder(_model, 1, 3, 2);
        Parameter c = _model.AddParameters([2]);
        Parameter h = _model.AddParameters([2]);
        LstmState state = lstm.InitialState(_graph, c, h).AddInput(_graph.Input([1, 2, 3]));
        SumElems(state.Output).Backward();
        Assert.That(c.Gradient.ToArray(), Has.None.Zero);
    }

    [Test]
    public void Dropout_draws_one_mask_for_a_sequence()
    {
        using var lstm = new VanillaLstmBuilder(_model, 1, 8, 8);
        Expression x = _graph.Input([1, 2, 3, 4, 5, 6, 7, 8]);
        float[] without = lstm.InitialState(_graph).AddInput(x).AddInput(x).Output.ToArray();
        lstm.SetDropout(0.5);
        LstmState start = lstm.InitialState(_graph).AddInput(x);
        float[] once = start.AddInput(x).Output.ToArray();
        float[] again = start.AddInput(x).Output.ToArray();
        float[] anotherSequence = lstm.InitialState(_graph).AddInput(x).AddInput(x).Output.ToArray();
        lstm.DisableDropout();
        float[] after = lstm.InitialState(_graph).AddInput(x).AddInput(x).Output.ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(again, Is.EqualTo(once), "one sequence, one mask");
            Assert.That(anotherSequence, Is.Not.EqualTo(once));
            Assert.That(after, Is.EqualTo(without));
        }
    }

    [TestCase(1)]
    [TestCase(-0.1)]
    [TestCase(double.NaN)]
    public void A_dropout_rate_out_of_range_is_an_error(double rate)
    {
        using var lstm = new VanillaLstmBuilder(_model, 1, 2, 2);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => lstm.SetDropout(rate), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => lstm.SetDropout(0.5, rate), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => lstm.SetDropout(rate, 0.5), Throws.TypeOf<ArgumentOutOfRangeException>());
        }
    }

    [TestCase(0, 2, 2)]
    [TestCase(1, 0, 2)]
    [TestCase(1, 2, -1)]
    public void Sizes_are_at_least_1(int layers, int inputDim, int hiddenDim)
    {
        Assert.That(
            () => new VanillaLstmBuilder(_model, layers, inputDim, hiddenDim),
            Throws.TypeOf<ArgumentOutOfRangeException>());
        Assert.That(_model.Parameters, Is.Empty);
    }

    [Test]
    public void Inputs_may_have_a_batch()
    {
        using var lstm = new VanillaLstmBuilder(_model, 2, 2, 3);
        Expression batch = _graph.Input(Dim.Of(2).WithBatch(2), [1, 2, 3, 4]);
        Expression output = lstm.InitialState(_graph).AddInput(batch).AddInput(batch).Output;
        Expression x = _graph.Input([3, 4]);
        float[] second = lstm.InitialState(_graph).AddInput(x).AddInput(x).Output.ToArray();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(output.Dim, Is.EqualTo(Dim.Of(3).WithBatch(2)));
            Assert.That(output.ToArray()[3..], Is.EqualTo(second).Within(1e-6));
        }
    }

    [Test]
    public void Disposed_it_says_so_and_leaves_its_parameters()
    {
        var lstm = new VanillaLstmBuilder(_model, 1, 2, 2);
        LstmState state = lstm.InitialState(_graph);
        Expression x = _graph.Input([1, 2]);
        lstm.Dispose();
        using (Assert.EnterMultipleScope())
        {
            AssertDisposed(() => lstm.InitialState(_graph));
            AssertDisposed(() => state.AddInput(x));
            AssertDisposed(() => lstm.SetDropout(0.5));
            AssertDisposed(lstm.DisableDropout);
            Assert.That(state.Output.ToArray(), Is.EqualTo(new float[2]), "the graph has it");
            Assert.That(_model.Parameters, Has.Count.EqualTo(3));
            Assert.That(lstm.Dispose, Throws.Nothing, "a second time");
        }

        static void AssertDisposed(Action use) =>
            Assert.That(
                () => use(),
                Throws.TypeOf<ObjectDisposedException>().With.Property("ObjectName").Contains("VanillaLstmBuilder"));
    }

    [Test]
    public void On_a_disposed_graph_it_says_so()
    {
        using var lstm = new VanillaLstmBuilder(_model, 1, 2, 2);
        LstmState state = lstm.InitialState(_graph);
        _graph.Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => lstm.InitialState(_graph), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => state.AddInput(default), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => lstm.InitialState(null!), Throws.ArgumentNullException);
        }
    }
}
