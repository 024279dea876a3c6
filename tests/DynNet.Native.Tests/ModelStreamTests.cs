using System.Text;

namespace DynNet.Native.Tests;

/// <summary>Models through streams: what these throw, and cancellation.</summary>
[TestFixture]
public sealed class ModelStreamTests
{
    [Test]
    public void A_large_model_goes_through_a_stream_that_gives_little_at_a_time()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([500, 600], name: "W");
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        using var trickle = new TricklingStream(stream.ToArray());
        using Model loaded = Model.Load(trickle);
        Assert.That(loaded["/W"].Values.SequenceEqual(w.Values), Is.True);
    }

    [Test]
    public void What_a_stream_throws_comes_through()
    {
        using Model model = ModelFiles.Make();
        using var full = new FullStream(100);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => model.Save(full), Throws.TypeOf<TimeoutException>().With.Message.EqualTo("full"));
            Assert.That(() => Model.Load(full), Throws.TypeOf<NotSupportedException>());
            Assert.That(() => model.Populate(full), Throws.TypeOf<NotSupportedException>());
        }
    }

    [Test]
    public void A_save_to_a_stream_can_be_cancelled_midway()
    {
        using var model = new Model();
        model.AddParameters([100, 1000], name: "W");
        using var whole = new MemoryStream();
        model.Save(whole);
        using var cancellation = new CancellationTokenSource();
        using var stream = new CancellingStream(new byte[whole.Length], cancellation, after: 3);
        using (Assert.EnterMultipleScope())
        {
            AssertCancelled(() => model.Save(stream, cancellationToken: cancellation.Token), cancellation.Token);
            Assert.That(stream.Calls, Is.EqualTo(3), "none after the cancellation");
            Assert.That(stream.Position, Is.GreaterThan(0).And.LessThan(whole.Length));
        }
    }

    [Test]
    public void A_load_from_a_stream_can_be_cancelled_midway()
    {
        using Model model = ModelFiles.Make();
        using var whole = new MemoryStream();
        model.Save(whole);
        using var cancellation = new CancellationTokenSource();
        using var stream = new CancellingStream(whole.ToArray(), cancellation, after: 3);
        AssertCancelled(() => Model.Load(stream, cancellationToken: cancellation.Token), cancellation.Token);
        Assert.That(stream.Calls, Is.EqualTo(3), "none after the cancellation");
    }

    [TestCase(1)]
    [TestCase(3)]
    public void A_cancelled_populate_leaves_the_model_as_it_was(int after)
    {
        using var model = new Model();
        model.AddParameters([2], Initializer.Constant(5), "W");
        byte[] text = Encoding.UTF8.GetBytes(new DyNetText().Parameter("/W", "{2}", [1, 2]).ToString());
        using var cancellation = new CancellationTokenSource();
        using var stream = new CancellingStream(text, cancellation, after);
        AssertCancelled(() => model.Populate(stream, cancellationToken: cancellation.Token), cancellation.Token);
        ModelFiles.AssertUntouched(model);
    }

    [Test]
    public void What_is_cancelled_beforehand_touches_no_stream()
    {
        using Model model = ModelFiles.Make();
        using var cancellation = new CancellationTokenSource();
        cancellation.Cancel();
        using var stream = new CancellingStream([], cancellation, after: 1);
        using (Assert.EnterMultipleScope())
        {
            AssertCancelled(() => model.Save(stream, cancellationToken: cancellation.Token), cancellation.Token);
            AssertCancelled(() => Model.Load(stream, cancellationToken: cancellation.Token), cancellation.Token);
            AssertCancelled(() => model.Populate(stream, cancellationToken: cancellation.Token), cancellation.Token);
            Assert.That(stream.Calls, Is.Zero);
        }
    }

    [Test]
    public void A_token_that_is_never_cancelled_changes_nothing()
    {
        using Model model = ModelFiles.Make();
        using var cancellation = new CancellationTokenSource();
        using var stream = new MemoryStream();
        model.Save(stream, cancellationToken: cancellation.Token);
        stream.Position = 0;
        using Model loaded = Model.Load(stream, cancellationToken: cancellation.Token);
        ModelFiles.AssertSame(loaded, model);
    }

    private static void AssertCancelled(Action use, CancellationToken token) =>
        Assert.That(
            () => use(),
            Throws.TypeOf<OperationCanceledException>()
                .With.Property(nameof(OperationCanceledException.CancellationToken)).EqualTo(token));

    /// <summary>Gives a few bytes at a time, as a network does.</summary>
    private sealed class TricklingStream(byte[] bytes) : MemoryStream(bytes)
    {
        public override int Read(Span<byte> buffer) => base.Read(buffer[..Math.Min(buffer.Length, 1013)]);
    }

    /// <summary>Gives or takes a part at a time, and is cancelled during one of these calls.</summary>
    private sealed class CancellingStream(byte[] bytes, CancellationTokenSource cancellation, int after)
        : MemoryStream(bytes)
    {
        internal int Calls { get; private set; }

        public override int Read(Span<byte> buffer)
        {
            Count();
            return base.Read(buffer[..Math.Min(buffer.Length, 5)]);
        }

        public override void Write(ReadOnlySpan<byte> buffer)
        {
            Count();
            base.Write(buffer);
        }

        private void Count()
        {
            if (++Calls == after)
                cancellation.Cancel();
        }
    }

    /// <summary>Takes some bytes and then throws what the library has never heard of.</summary>
    private sealed class FullStream(int room) : Stream
    {
        private int _room = room;

        public override bool CanRead => false;

        public override bool CanSeek => false;

        public override bool CanWrite => true;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override void Flush()
        {
        }

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count)
        {
            _room -= count;
            if (_room < 0)
                throw new TimeoutException("full");
        }
    }
}
