using System.Globalization;
using DynNet.Native.Interop;
using static DynNet.Native.Ops;

namespace DynNet.Native.Tests;

/// <summary>100,000 graphs, however they are treated, leave memory as it was.</summary>
[TestFixture]
[NonParallelizable]
public sealed class MemoryGrowthTests
{
    private const int Graphs = 100_000;
    private const long Bound = 5_000_000;

    // What leaks grows in every one. What does not may grow in some: a finalizer thread that falls further behind than it
    // ever did leaves the allocator with more to keep.
    private const int Rounds = 6;

    private Model _model = null!;
    private Parameter _w = null!;

    [SetUp]
    public void MakeModel()
    {
        _model = new Model();
        _w = _model.AddParameters([8, 8]);
    }

    [TearDown]
    public void DisposeModel() => _model.Dispose();

    [Test]
    public void Renewed()
    {
        using var graph = new ComputationGraph();
        AssertNoGrowth(() =>
        {
            graph.Renew();
            Use(graph);
        });
    }

    [Test]
    public void Created_and_disposed()
    {
        AssertNoGrowth(() =>
        {
            using var graph = new ComputationGraph();
            Use(graph);
        });
    }

    [Test]
    public void Created_and_never_disposed()
    {
        AssertNoGrowth(() =>
        {
            var graph = new ComputationGraph();
            Use(graph);
        });
    }

    [Test]
    public void A_thread_does_not_collect_again_and_again_what_others_dispose()
    {
        const int Times = 30;
        const long Others = 512 << 20;
        int before = GC.CollectionCount(0);
        for (int i = 0; i < Times; i++)
        {
            // What another thread's graph would hold, and gives back while this thread is looking for garbage.
            Status.Check(NativeMethods.dn_memory_reserve(Others));
            Task other = Task.Run(() =>
            {
                Thread.Sleep(1);
                Status.Check(NativeMethods.dn_memory_unreserve(Others));
            });
            using (new ComputationGraph())
                other.Wait();
        }
        int collections = GC.CollectionCount(0) - before;
        Assert.That(collections, Is.LessThan(Times / 3));
    }

    [Test]
    public void Models_with_all_that_belongs_to_them()
    {
        AssertNoGrowth(
            () =>
            {
                using var model = new Model();
                using var lstm = new VanillaLstmBuilder(model, 1, 4, 4);
                using var trainer = new AdamTrainer(model);
                using var graph = new ComputationGraph();
                using var set = new GradientSet(model);
                Expression loss = SumElems(lstm.InitialState(graph).AddInput(graph.Constant([4], 1)).Output);
                loss.Backward(gradients: set);
                trainer.Update([set]);
            },
            Graphs / 10);
    }

    [Test]
    public void Errors()
    {
        using var graph = new ComputationGraph();
        AssertNoGrowth(
            () =>
            {
                graph.Renew();
                Expression x = graph.Input([1, 2]);
                Assert.Catch(() => Add(x, _w));
            },
            Graphs / 10);
    }

    private void Use(ComputationGraph graph) =>
        SumElems(Tanh(_w * graph.Constant([8], 0.5))).Backward();

    /// <summary>
    /// Whether memory stands still in one of three rounds. A leak shows in each; what grows in the first ones only is
    /// the runtime, which compiles and sizes its heaps while the program warms up.
    /// </summary>
    private static void AssertNoGrowth(Action use, int times = Graphs)
    {
        Footprint growth = default;
        for (int round = 0; round < Rounds; round++)
        {
            Footprint before = Footprint.Measure();
            for (int i = 0; i < times; i++)
                use();
            growth = Footprint.Measure() - before;
            TestContext.Out.WriteLine($"round {round}: {growth}");
            if (growth.Largest < Bound)
                return;
        }
        Assert.Fail($"In each of {Rounds} rounds of {times} memory grew by more than {Bound} bytes, at last by {growth}.");
    }

    /// <summary>The bytes that are resident, that the engine counts, and that are on the managed heap.</summary>
    private readonly record struct Footprint(long Resident, long Native, long Managed)
    {
        internal long Largest => Math.Max(Resident, Math.Max(Native, Managed));

        public static Footprint operator -(Footprint left, Footprint right) =>
            new(left.Resident - right.Resident, left.Native - right.Native, left.Managed - right.Managed);

        internal static Footprint Measure()
        {
            for (int i = 0; i < 3; i++)
            {
                // Aggressively, so that the collector gives back what it keeps for a rainy day, which comes and goes by
                // megabytes.
                GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
                GC.WaitForPendingFinalizers();
            }
            return new Footprint(ResidentBytes(), Memory.Used, GC.GetTotalMemory(forceFullCollection: true));
        }

        private static long ResidentBytes()
        {
            if (!OperatingSystem.IsLinux())
                return Environment.WorkingSet;
            string line = File.ReadLines("/proc/self/status")
                .First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal));
            return 1024 * long.Parse(
                line.Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
    }
}
