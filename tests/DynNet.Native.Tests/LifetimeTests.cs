using System.Runtime.CompilerServices;
using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Who outlives whom: nobody crashes, whatever the order.</summary>
[TestFixture]
public sealed class LifetimeTests
{
    [Test]
    public void A_graph_holds_on_to_a_model_that_was_disposed()
    {
        using var graph = new ComputationGraph();
        Expression loss;
        using (var model = new Model())
        {
            Parameter w = model.AddParameters([2], Initializer.FromArray([2, 3]));
            LookupParameter table = model.AddLookupParameters(2, [2], Initializer.Constant(4));
            loss = DotProduct(w, graph.Lookup(table, 1));
        }
        Assert.That(loss.ScalarValue(), Is.EqualTo(20f));
        Assert.That(() => loss.Backward(), Throws.Nothing);
        loss.Forward();
        Assert.That((loss * 2).ScalarValue(), Is.EqualTo(40f));
    }

    [Test]
    public void A_graph_holds_on_to_a_model_that_was_dropped()
    {
        using var graph = new ComputationGraph();
        Expression loss = Record(graph);
        Collect();
        Assert.That(loss.ScalarValue(), Is.EqualTo(13f));
        Assert.That(() => loss.Backward(), Throws.Nothing);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static Expression Record(ComputationGraph graph)
        {
            Parameter w = new Model().AddParameters([2], Initializer.FromArray([2, 3]));
            return DotProduct(w, graph.Parameter(w));
        }
    }

    [Test]
    public void A_trainer_a_builder_and_a_set_hold_on_to_their_model()
    {
        var model = new Model();
        Parameter w = model.AddParameters([2]);
        var lstm = new VanillaLstmBuilder(model, 1, 2, 2);
        var trainer = new AdamTrainer(model);
        var set = new GradientSet(model);
        using var graph = new ComputationGraph();
        Expression loss = SumElems(w + graph.Input([1, 2]));
        model.Dispose();
        Assert.That(
            () =>
            {
                loss.Backward();
                trainer.Update();
                SumElems(lstm.InitialState(graph).AddInput(graph.Input([1, 2])).Output).Backward(gradients: set);
                trainer.Update([set]);
                set.Reset();
            },
            Throws.Nothing);
        set.Dispose();
        lstm.Dispose();
        trainer.Dispose();
        Assert.That(loss.ScalarValue(), Is.Not.NaN);
    }

    [Test]
    public void A_parameter_holds_on_to_its_model()
    {
        Parameter w = Make();
        Collect();
        Assert.That(w.Values.ToArray(), Is.EqualTo(new float[] { 2, 3 }));

        [MethodImpl(MethodImplOptions.NoInlining)]
        static Parameter Make()
        {
            Model part = new Model().AddSubcollection("part");
            return part.AddParameters([2], Initializer.FromArray([2, 3]));
        }
    }

    [Test]
    public void A_copy_of_values_holds_on_to_their_model_while_it_is_made()
    {
        // Each copy is the last use of its model: without a lease, a collection in the middle would free what it reads.
        const int Size = 1 << 20;
        Task collector = Task.Run(() =>
        {
            for (int i = 0; i < 50; i++)
                Collect();
        });
        do
        {
            Assert.That(Sum(Make().ToArray()), Is.EqualTo(Size));
            Assert.That(Sum(Make().GradientToArray()), Is.Zero);
            Assert.That(Sum(MakeTable().ToArray()), Is.EqualTo(Size));
            Assert.That(Sum(MakeTable().RowToArray(1)), Is.EqualTo(Size / 2));
        }
        while (!collector.IsCompleted);

        static Parameter Make() => new Model().AddParameters([Size], Initializer.Constant(1));

        static LookupParameter MakeTable() => new Model().AddLookupParameters(2, [Size / 2], Initializer.Constant(1));

        static float Sum(float[] values) => System.Numerics.Tensors.TensorPrimitives.Sum<float>(values);
    }

    [Test]
    public void Finalizers_may_run_in_any_order()
    {
        for (int i = 0; i < 200; i++)
            Drop(i);
        Collect();
        Assert.Pass("nothing crashed");

        [MethodImpl(MethodImplOptions.NoInlining)]
        static void Drop(int i)
        {
            var model = new Model();
            Parameter w = model.AddParameters([4, 4]);
            var lstm = new VanillaLstmBuilder(model, 1, 4, 4);
            var trainer = new MomentumSgdTrainer(model);
            var set = new GradientSet(model);
            var graph = new ComputationGraph();
            Expression loss = SumElems(w * lstm.InitialState(graph).AddInput(graph.Constant([4], i)).Output);
            loss.Backward(gradients: set);
            trainer.Update([set]);
            IDisposable[] all = [model, lstm, trainer, set, graph];
            // Some are disposed, in changing order; the rest is left to the finalizers.
            for (int k = 0; k < i % 5; k++)
                all[(i * 3 + k * 2) % 5].Dispose();
        }
    }

    [Test]
    public void A_graph_is_finalized_only_after_a_call_into_it()
    {
        // The loop body is the last use of the graph: without a keep-alive, a collection in the middle would free it.
        Task collector = Task.Run(() =>
        {
            for (int i = 0; i < 50; i++)
                Collect();
        });
        int n = 0;
        do
        {
            float value = SumElems(Tanh(new ComputationGraph().Constant([64], 0.5) + 1)).ScalarValue();
            Assert.That(value, Is.EqualTo(64 * Math.Tanh(1.5)).Within(1e-4));
            n++;
        }
        while (!collector.IsCompleted);
        Assert.That(n, Is.GreaterThan(10));
    }

    [Test]
    public void A_span_read_late_gives_numbers_and_never_a_fault()
    {
        using var graph = new ComputationGraph();
        var spansRead = 0f;
        for (int round = 0; round < 20; round++)
        {
            graph.Renew();
            ReadOnlySpan<float> early = (graph.Constant([1000], 1) + 1).AsSpan();
            Assert.That(early[999], Is.EqualTo(2f));
            graph.Renew();
            spansRead += Sum(early);
            Expression large = graph.Constant([500_000], 1) + round;
            _ = large.AsSpan()[0];
            spansRead += Sum(early);
            graph.Checkpoint();
            ReadOnlySpan<float> reverted = (large * 2).AsSpan();
            graph.Revert();
            spansRead += Sum(reverted);
            _ = (large * 3).ToArray();
            spansRead += Sum(reverted);
        }
        Assert.That(float.IsNaN(spansRead) || !float.IsNaN(spansRead), Is.True, "reading is all that is asked");

        static float Sum(ReadOnlySpan<float> values)
        {
            float sum = 0;
            foreach (float value in values)
                sum += value;
            return sum;
        }
    }

    [Test]
    public void Handles_cross_to_native_code_and_close_with_their_owner()
    {
        var model = new Model();
        var graph = new ComputationGraph();
        var trainer = new AdamTrainer(model);
        var lstm = new VanillaLstmBuilder(model, 1, 2, 2);
        var set = new GradientSet(model);
        System.Runtime.InteropServices.SafeHandle[] handles =
            [model.SafeHandle, graph.SafeHandle, trainer.SafeHandle, lstm.SafeHandle, set.SafeHandle];
        Assert.That(handles.Select(handle => handle.IsInvalid || handle.IsClosed), Is.All.False);
        foreach (IDisposable owner in (IDisposable[])[model, graph, trainer, lstm, set])
            owner.Dispose();
        Assert.That(handles.Select(handle => handle.IsClosed), Is.All.True);
    }

    private static void Collect()
    {
        GC.Collect();
        GC.WaitForPendingFinalizers();
        GC.Collect();
    }
}
