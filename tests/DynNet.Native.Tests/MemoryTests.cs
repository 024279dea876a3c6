namespace DynNet.Native.Tests;

/// <summary>The memory limit, and running into it.</summary>
[TestFixture]
[NonParallelizable]
public sealed class MemoryTests
{
    [TearDown]
    public void RestoreLimit() => Memory.Limit = 0;

    [Test]
    public void The_default_limit_is_what_there_is()
    {
        long available = GC.GetGCMemoryInfo().TotalAvailableMemoryBytes;
        Assert.That(Memory.Limit, Is.GreaterThan(0).And.LessThanOrEqualTo(4 * available));
    }

    [Test]
    public void The_limit_can_be_set_and_restored()
    {
        long standard = Memory.Limit;
        Memory.Limit = 123_456_789;
        Assert.That(Memory.Limit, Is.EqualTo(123_456_789));
        Memory.Limit = 0;
        Assert.That(Memory.Limit, Is.EqualTo(standard));
        Assert.That(() => Memory.Limit = -1, Throws.ArgumentException);
    }

    [Test]
    public void What_is_used_is_counted()
    {
        long before = Memory.Used;
        using (var model = new Model())
        {
            model.AddParameters([1000, 1000]);
            Assert.That(Memory.Used - before, Is.GreaterThanOrEqualTo(4_000_000));
        }
        Assert.That(Memory.Used - before, Is.LessThan(1_000_000));
    }

    [Test]
    public void A_terabyte_is_refused_and_the_program_goes_on()
    {
        using var model = new Model();
        using var graph = new ComputationGraph();
        Expression x = graph.Constant([1 << 20], 1);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => model.AddParameters([1 << 20, 1 << 18], Initializer.Constant(1)),
                Throws.TypeOf<InsufficientMemoryException>().With.Message.Not.Empty);
            Assert.That(
                () => model.AddLookupParameters(1 << 20, [1 << 18]), Throws.TypeOf<InsufficientMemoryException>());
            Assert.That(
                () => Ops.SumElems(x * graph.Constant([1, 1 << 18], 1)).ScalarValue(),
                Throws.TypeOf<InsufficientMemoryException>());
            Assert.That(
                () => graph.Constant([int.MaxValue, 128], 1).AsSpan().Length,
                Throws.TypeOf<InsufficientMemoryException>());
            Assert.That(model.Parameters, Is.Empty);
            Assert.That(graph.Input(3.0).ScalarValue(), Is.EqualTo(3f));
        }
    }

    [Test]
    public void A_low_limit_is_an_error_until_it_is_raised()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([64, 64]);
        using var graph = new ComputationGraph();
        Expression x = graph.Constant([64], 1);
        Memory.Limit = Memory.Used + 8_000_000;
        Assert.That(() => model.AddParameters([2000, 2000]), Throws.TypeOf<InsufficientMemoryException>());
        Assert.That(
            () =>
            {
                for (int i = 0; i < 1_000_000; i++)
                    x = Ops.Tanh(w * x);
                x.Forward();
            },
            Throws.TypeOf<InsufficientMemoryException>());

        Memory.Limit = 0;
        graph.Renew();
        Expression y = Ops.SumElems(w * graph.Constant([64], 1));
        Assert.That(y.ScalarValue(), Is.Not.NaN);
        Assert.That(() => model.AddParameters([2000, 2000]), Throws.Nothing);
    }

    [Test]
    public void A_stream_without_an_end_is_refused_where_the_memory_ends()
    {
        using var model = new Model();
        using var endless = new EndlessStream();
        Memory.Limit = Memory.Used + 8_000_000;
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => Model.Load(endless), Throws.TypeOf<InsufficientMemoryException>());
            Assert.That(() => model.Populate(endless), Throws.TypeOf<InsufficientMemoryException>());
            Assert.That(endless.Given, Is.LessThan(100_000_000));
        }
    }

    [Test]
    public void The_text_of_a_stream_counts_beside_the_values_that_are_read_from_it()
    {
        using var model = new Model();
        model.AddParameters([250_000], Initializer.Constant(0.1));
        using var stream = new MemoryStream();
        model.Save(stream);
        const long Values = 250_000 * sizeof(float);
        const long Part = 1 << 20;
        long before = Memory.Used;

        // Enough for either, and with what the last read has to have room for, but not for both.
        Memory.Limit = before + stream.Length + Part + Values / 2;
        Assert.That(Load, Throws.TypeOf<InsufficientMemoryException>());
        Assert.That(Memory.Used, Is.EqualTo(before), "all is given back");
        Memory.Limit = before + stream.Length + Part + 4 * Values;
        Assert.That(Load, Throws.Nothing);
        Assert.That(Memory.Used, Is.EqualTo(before), "all is given back");

        void Load()
        {
            stream.Position = 0;
            using Model loaded = Model.Load(stream);
        }
    }

    [Test]
    public void Running_out_while_computing_leaves_what_was_computed()
    {
        using var graph = new ComputationGraph();
        Expression small = graph.Input([1, 2]) + 1;
        Assert.That(small.ToArray(), Is.EqualTo(new float[] { 2, 3 }));
        Memory.Limit = Memory.Used + 8_000_000;
        Assert.That(
            () => (graph.Constant([3000, 1], 1) * graph.Constant([1, 3000], 1)).AsSpan().Length,
            Throws.TypeOf<InsufficientMemoryException>());
        Memory.Limit = 0;
        Assert.That(small.ToArray(), Is.EqualTo(new float[] { 2, 3 }));
        Assert.That((small * 2).ToArray(), Is.EqualTo(new float[] { 4, 6 }));
    }

    private sealed class EndlessStream : MemoryStream
    {
        internal long Given { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            buffer.Fill((byte)'1');
            Given += buffer.Length;
            return buffer.Length;
        }
    }
}
