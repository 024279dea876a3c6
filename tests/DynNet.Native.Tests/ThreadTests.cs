using System.Collections.Concurrent;
using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>Threads: what may run side by side, and what is refused.</summary>
[TestFixture]
[NonParallelizable]
public sealed class ThreadTests
{
    private Model _model = null!;
    private Parameter _w = null!;
    private LookupParameter _table = null!;

    [SetUp]
    public void MakeModel()
    {
        _model = new Model();
        _w = _model.AddParameters([64, 64]);
        _table = _model.AddLookupParameters(50, [64]);
    }

    [TearDown]
    public void DisposeModel() => _model.Dispose();

    [Test]
    public void A_graph_may_move_between_threads()
    {
        using var graph = new ComputationGraph();
        Expression x = graph.Lookup(_table, 7);
        float[] expected = Tanh(_w * x).ToArray();
        float[]? moved = null;
        OnThread(() => moved = Tanh(_w * x).ToArray());
        Expression later = default;
        OnThread(() => later = Tanh(_w * x));
        OnThread(() => SumElems(later).Backward());
        using (Assert.EnterMultipleScope())
        {
            Assert.That(moved, Is.EqualTo(expected));
            Assert.That(later.ToArray(), Is.EqualTo(expected));
        }
    }

    [Test]
    public void One_model_in_many_threads_gives_the_bits_of_one()
    {
        const int Threads = 8;
        const int Rounds = 30;
        float[][] expected = [.. Enumerable.Range(0, Rounds).Select(round => Compute(new ComputationGraph(), round))];
        var results = new float[Threads][][];
        Together(Threads, thread =>
        {
            using var graph = new ComputationGraph();
            results[thread] = [.. Enumerable.Range(0, Rounds).Select(round =>
            {
                graph.Renew();
                return Compute(graph, round);
            })];
        });
        Assert.That(results, Is.All.EqualTo(expected));

        float[] Compute(ComputationGraph graph, int round)
        {
            Expression[] xs =
                [.. Enumerable.Range(0, 1 + round % 5).Select(i => graph.Lookup(_table, (round + i) % 50))];
            Expression h = Sum(xs.Select(x => Tanh(_w * x)));
            return Softmax(_w * Tanh(_w * h)).ToArray();
        }
    }

    [Test]
    public void Workers_with_sets_of_their_own_give_the_bits_of_one_thread()
    {
        float[] sequential = Train(parallel: false);
        Assert.That(Train(parallel: true), Is.EqualTo(sequential));

        static float[] Train(bool parallel)
        {
            using var model = new Model(seed: 9);
            Parameter w = model.AddParameters([16, 16]);
            LookupParameter table = model.AddLookupParameters(20, [16]);
            using var trainer = new AdamTrainer(model, 0.01);
            GradientSet[] sets = [.. Enumerable.Range(0, 4).Select(_ => new GradientSet(model))];
            ComputationGraph[] graphs = [.. sets.Select(_ => new ComputationGraph())];
            for (int step = 0; step < 20; step++)
            {
                int now = step;
                void Work(int worker)
                {
                    ComputationGraph graph = graphs[worker];
                    graph.Renew();
                    Expression x = graph.Lookup(table, (now * 4 + worker) % 20);
                    PickNegLogSoftmax(w * Tanh(w * x), (now + worker) % 16).Backward(gradients: sets[worker]);
                }
                if (parallel)
                {
                    Together(4, Work);
                }
                else
                {
                    for (int worker = 0; worker < 4; worker++)
                        Work(worker);
                }
                trainer.Update(sets);
            }
            foreach (IDisposable owner in sets.Concat<IDisposable>(graphs))
                owner.Dispose();
            return [.. w.Values, .. table.Values];
        }
    }

    [Test]
    public void Two_threads_in_one_graph_are_refused_and_nothing_breaks()
    {
        using var graph = new ComputationGraph();
        var errors = new ConcurrentBag<Exception>();
        Expression large = graph.Constant([64, 4000], 0.01);
        Together(2, thread =>
        {
            for (int i = 0; i < 200; i++)
            {
                try
                {
                    _ = SumElems(Tanh(_w * large)).ScalarValue();
                }
                catch (InvalidOperationException exception)
                {
                    errors.Add(exception);
                }
            }
        });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(errors, Is.Not.Empty, "they must have met");
            Assert.That(errors.Select(error => error.GetType()), Is.All.EqualTo(typeof(InvalidOperationException)));
            Assert.That(errors.First().Message, Does.Contain("graph"));
            Assert.That((graph.Input([1, 2]) + 1).ToArray(), Is.EqualTo(new float[] { 2, 3 }), "still usable");
        }
    }

    [Test]
    public void Two_backwards_into_one_models_own_gradients_are_refused()
    {
        var errors = new ConcurrentBag<Exception>();
        int done = 0;
        Together(2, thread =>
        {
            using var graph = new ComputationGraph();
            Expression loss = SumElems(Tanh(_w * graph.Constant([64, 4000], 0.01)));
            for (int i = 0; i < 200; i++)
            {
                try
                {
                    loss.Backward();
                    Interlocked.Increment(ref done);
                }
                catch (InvalidOperationException exception)
                {
                    errors.Add(exception);
                }
            }
        });
        using (Assert.EnterMultipleScope())
        {
            Assert.That(errors, Is.Not.Empty, "they must have met");
            Assert.That(errors.Count + done, Is.EqualTo(400));
            Assert.That(_w.Gradient.ToArray(), Has.All.Not.NaN);
        }
    }

    [Test]
    public void Disposal_during_another_threads_call_waits_for_it()
    {
        for (int round = 0; round < 20; round++)
        {
            var graph = new ComputationGraph();
            Expression loss = SumElems(Tanh(_w * graph.Constant([64, 20_000], 0.01)));
            using var started = new ManualResetEventSlim();
            Exception? thrown = null;
            var worker = new Thread(() =>
            {
                try
                {
                    started.Set();
                    while (true)
                        loss.Forward();
                }
                catch (Exception exception) when (exception is ObjectDisposedException or StaleExpressionException)
                {
                    thrown = exception;
                }
            });
            worker.Start();
            started.Wait();
            Thread.Sleep(round % 4);
            graph.Dispose();
            Assert.That(worker.Join(TimeSpan.FromSeconds(20)), Is.True, "it ends");
            Assert.That(thrown, Is.Not.Null);
        }
        Assert.That(new ComputationGraph().Input(1.0).ScalarValue(), Is.EqualTo(1f));
    }

    [Test]
    public void Disposal_of_a_trainer_or_set_during_another_threads_call_waits_for_it()
    {
        for (int round = 0; round < 10; round++)
        {
            using var model = new Model();
            model.AddParameters([1000, 1000]);
            var trainer = new AdamTrainer(model);
            using var started = new ManualResetEventSlim();
            var worker = new Thread(() =>
            {
                try
                {
                    started.Set();
                    while (true)
                        trainer.Update();
                }
                catch (ObjectDisposedException)
                {
                }
            });
            worker.Start();
            started.Wait();
            Thread.Sleep(round % 3);
            trainer.Dispose();
            Assert.That(worker.Join(TimeSpan.FromSeconds(20)), Is.True, "it ends");
        }
    }

    [Test]
    public void Disposal_of_a_model_while_another_thread_records_its_parameters_is_an_error_there()
    {
        for (int round = 0; round < 300; round++)
        {
            var model = new Model();
            Parameter w = model.AddParameters([16, 16]);
            LookupParameter table = model.AddLookupParameters(4, [16]);
            Exception? thrown = null;
            var worker = new Thread(() =>
            {
                using var graph = new ComputationGraph();
                try
                {
                    while (true)
                    {
                        graph.Renew();
                        Expression x = graph.Lookup(table, 1);
                        for (int i = 0; i < 20; i++)
                            x = w * x;
                    }
                }
                catch (ObjectDisposedException exception)
                {
                    thrown = exception;
                }
            });
            worker.Start();
            Thread.SpinWait(round * 7 % 5000);
            model.Dispose();
            Assert.That(worker.Join(TimeSpan.FromSeconds(20)), Is.True, "it ends");
            Assert.That(thrown, Is.Not.Null);
        }
    }

    [Test]
    public void Builders_are_shared_by_threads()
    {
        using var lstm = new VanillaLstmBuilder(_model, 2, 64, 32);
        float[] expected = Run(new ComputationGraph());
        var results = new float[6][];
        Together(6, thread =>
        {
            using var graph = new ComputationGraph();
            for (int i = 0; i < 10; i++)
            {
                graph.Renew();
                results[thread] = Run(graph);
            }
        });
        Assert.That(results, Is.All.EqualTo(expected));

        float[] Run(ComputationGraph graph)
        {
            LstmState state = lstm.InitialState(graph);
            for (int i = 0; i < 12; i++)
                state = state.AddInput(graph.Lookup(_table, i));
            return state.Output.ToArray();
        }
    }

    [Test]
    public void Messages_of_errors_belong_to_their_thread()
    {
        Together(8, thread =>
        {
            using var graph = new ComputationGraph();
            Expression x = graph.Constant([100 + thread], 1);
            for (int i = 0; i < 200; i++)
            {
                Exception? exception = Assert.Catch(() => Pick(x, 1000 + thread));
                Assert.That(exception!.Message, Does.Contain($"{1000 + thread}"));
            }
        });
    }

    [Test]
    public void Graphs_come_and_go_in_many_threads()
    {
        Together(4, thread =>
        {
            for (int i = 0; i < 500; i++)
            {
                using var graph = new ComputationGraph(thread);
                Expression kept = graph.Lookup(_table, i % 50) + thread;
                Assert.That(kept.AsSpan()[0], Is.EqualTo(_table.Row(i % 50)[0] + thread));
            }
        });
    }

    private static void OnThread(Action action) => Together(1, _ => action());

    /// <summary>Runs one action in several threads that start together; what one throws fails the test.</summary>
    private static void Together(int count, Action<int> action)
    {
        using var barrier = new Barrier(count);
        var failures = new ConcurrentBag<Exception>();
        Thread[] threads =
        [
            .. Enumerable.Range(0, count).Select(i => new Thread(() =>
            {
                barrier.SignalAndWait();
                try
                {
                    action(i);
                }
                catch (Exception exception)
                {
                    failures.Add(exception);
                }
            })),
        ];
        foreach (Thread thread in threads)
            thread.Start();
        foreach (Thread thread in threads)
            thread.Join();
        if (!failures.IsEmpty)
            throw new AggregateException(failures);
    }
}
