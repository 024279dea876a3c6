namespace DynNet.Native.Tests.Builders;

/// <summary>What is left in somebody's hands of a builder whose constructor failed.</summary>
public sealed class TakenBackTests
{
    [Test]
    public void Parameters_say_so_and_are_not_taken_for_later_ones()
    {
        using var model = new Model(1);
        Parameter? kept = null;
        LookupParameter? table = null;
        Fail(model, m =>
        {
            kept = m.AddParameters([3]);
            table = m.AddLookupParameters(4, [2]);
        });
        // Many, some of which get what memory was given back.
        Parameter[] later = [.. Enumerable.Range(0, 50).Select(i => model.AddParameters([i % 5 + 1]))];
        using (Assert.EnterMultipleScope())
        {
            AssertGone(() => _ = kept!.Values.Length);
            AssertGone(() => _ = kept!.Gradient.Length);
            AssertGone(() => _ = kept!.IsUpdated);
            AssertGone(() => kept!.Zero());
            AssertGone(() => kept!.Scale(2));
            AssertGone(() => _ = table!.Values.Length);
            AssertGone(() => table!.SetRow(1, [1, 2]));
            AssertGone(() => table!.RowGradient(1));
            Assert.That(later, Has.None.EqualTo(kept));
            Assert.That(model.Parameters, Is.EqualTo(later));
        }
    }

    [Test]
    public void Nothing_new_is_recorded_with_them()
    {
        using var model = new Model(1);
        using var graph = new ComputationGraph(1);
        VanillaLstmBuilder? kept = null;
        Parameter? w = null;
        Fail(model, m =>
        {
            w = m.AddParameters([2]);
            kept = new VanillaLstmBuilder(m, 1, 2, 2);
        });
        model.AddParameters([8, 2]);
        model.AddParameters([8]);
        Expression x = graph.Input([1, 2]);
        using (Assert.EnterMultipleScope())
        {
            AssertGone(() => graph.Parameter(w!));
            AssertGone(() => kept!.InitialState(graph).AddInput(x));
        }
        kept!.Dispose();
    }

    [Test]
    public void A_graph_keeps_what_it_has_read()
    {
        using var model = new Model(1);
        using var graph = new ComputationGraph(1);
        Expression y = default;
        float[] before = [];
        Fail(model, m =>
        {
            Parameter w = m.AddParameters([2], Initializer.Constant(0.75));
            y = graph.Parameter(w) * 2;
            before = y.ToArray();
        });
        for (int i = 0; i < 50; i++)
            model.AddParameters([2], Initializer.Constant(9));
        y.Forward();
        Assert.That(y.ToArray(), Is.EqualTo(before).And.EqualTo(new[] { 1.5f, 1.5f }));
    }

    [Test]
    public void Later_parameters_have_gradients_and_moments_of_their_own()
    {
        using var model = new Model(1);
        using var trainer = new MomentumSgdTrainer(model, 0.5);
        Fail(model, m =>
        {
            Parameter small = m.AddParameters([2]);
            _ = small.Gradient.Length;
            using var graph = new ComputationGraph(1);
            Ops.SumElems(graph.Parameter(small)).Backward();
            trainer.Update();
            Ops.SumElems(graph.Parameter(small)).Backward();
        });
        Parameter large = model.AddParameters([20], Initializer.Constant(1));
        Assert.That(large.Gradient.ToArray(), Is.EqualTo(new float[20]));
        using var later = new ComputationGraph(1);
        Ops.SumElems(later.Parameter(large)).Backward();
        Assert.That(large.Gradient.ToArray(), Has.All.EqualTo(1));
        trainer.Update();
        Assert.That(large.Values.ToArray(), Has.All.EqualTo(0.5f));
    }

    [Test]
    public void A_subcollection_takes_nothing_any_more()
    {
        using var model = new Model(1);
        Model? kept = null;
        Fail(model, m => kept = m.AddSubcollection("part"));
        using (Assert.EnterMultipleScope())
        {
            AssertGone(() => kept!.AddParameters([2], name: "W"));
            AssertGone(() => kept!.AddSubcollection("deeper"));
            Assert.That(model.GetSubcollections(), Is.Empty);
        }
        kept!.Dispose();
    }

    // A builder whose function does something and then fails.
    private static void Fail(Model model, Action<Model> first)
    {
        var failure = new TimeoutException();
        Assert.That(
            () => new BidirectionalBuilder(model, 1, 2, 4, (m, _, _) =>
            {
                first(m);
                throw failure;
            }),
            Throws.Exception.SameAs(failure));
        Assert.That(model.Parameters, Is.Empty);
    }

    private static void AssertGone(Action call) =>
        Assert.That(call, Throws.InvalidOperationException.With.Message.Contains("taken back"));
}
