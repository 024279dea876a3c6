using System.Text;

namespace DynNet.Native.Tests;

/// <summary>Model files: saving, loading, populating, and what is wrong with a wrong one.</summary>
[TestFixture]
public sealed class ModelFileTests
{
    private string _folder = null!;

    [SetUp]
    public void MakeFolder() => _folder = Directory.CreateTempSubdirectory("dynnet-tests-").FullName;

    [TearDown]
    public void DeleteFolder() => Directory.Delete(_folder, recursive: true);

    [Test]
    public void A_saved_model_loads_with_the_same_names_shapes_and_bits()
    {
        using Model model = MakeModel();
        string file = In("a.model");
        model.Save(file);
        using Model loaded = Model.Load(file);
        AssertSame(loaded, model);
    }

    [Test]
    public void A_model_goes_through_streams_too()
    {
        using Model model = MakeModel();
        using var stream = new MemoryStream();
        model.Save(stream);
        string file = In("a.model");
        model.Save(file);
        Assert.That(stream.ToArray(), Is.EqualTo(File.ReadAllBytes(file)), "the same bytes");
        stream.Position = 0;
        using Model loaded = Model.Load(stream);
        Assert.That(stream.CanRead, Is.True, "it stays open");
        AssertSame(loaded, model);
    }

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
    public void The_format_is_that_of_dynet()
    {
        using var model = new Model();
        model.AddParameters([2, 2], Initializer.FromArray([1, -0.5f, 3e-10f, 12345.678f]), "W");
        using Model part = model.AddSubcollection("part");
        part.AddLookupParameters(2, [2], Initializer.FromArray([0, 1, 2, 3]), "E");
        using var stream = new MemoryStream();
        model.Save(stream);
        string expected = new DyNetText()
            .Parameter("/W", "{2,2}", [1, -0.5, 3e-10f, 12345.678f])
            .Lookup("/part/E", "{2,2}", [0, 1, 2, 3])
            .ToString();
        Assert.That(Encoding.UTF8.GetString(stream.ToArray()), Is.EqualTo(expected));
    }

    [Test]
    public void Extreme_values_survive()
    {
        float[] values =
        [
            float.MaxValue, float.Epsilon, -0f, 1.17549435e-38f, float.PositiveInfinity, float.NegativeInfinity,
            float.NaN,
        ];
        using var model = new Model();
        Parameter w = model.AddParameters([7]);
        w.SetValues(values);
        using var stream = new MemoryStream();
        model.Save(stream);
        stream.Position = 0;
        using Model loaded = Model.Load(stream);
        Assert.That(
            loaded["_0"].Values.ToArray().Select(BitConverter.SingleToUInt32Bits),
            Is.EqualTo(values.Select(BitConverter.SingleToUInt32Bits)));
    }

    [Test]
    public void Gradients_are_saved_on_demand()
    {
        using Model model = MakeModel();
        using var graph = new ComputationGraph();
        Parameter w = model["/W"];
        LookupParameter e = model.GetLookupParameter("/encoder/E");
        (Ops.SumElems(w * graph.Input([1, 2])) + Ops.SumElems(graph.Lookup(e, 1))).Backward();
        model.Save(In("with"), withGradients: true);
        model.Save(In("without"));
        using Model with = Model.Load(In("with"));
        using Model without = Model.Load(In("without"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(with["/W"].Gradient.ToArray(), Is.EqualTo(new float[] { 1, 1, 1, 2, 2, 2 }));
            Assert.That(with.GetLookupParameter("/encoder/E").RowGradient(1), Is.All.EqualTo(1f));
            Assert.That(without["/W"].Gradient.ToArray(), Is.All.Zero);
        }
    }

    [Test]
    public void A_subcollection_can_be_saved_under_another_path_and_read_from_it()
    {
        using Model model = MakeModel();
        using Model encoder = model.AddSubcollection("second");
        Parameter w = encoder.AddParameters([3], name: "W");
        encoder.Save(In("part"), key: "/decoder/");
        using Model whole = Model.Load(In("part"));
        using Model below = Model.Load(In("part"), key: "/decoder/");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(whole.Parameters.Select(parameter => parameter.Name), Is.EqualTo(["/decoder/W"]));
            Assert.That(below.Parameters.Select(parameter => parameter.Name), Is.EqualTo(["/W"]));
            Assert.That(below["/W"].Values.ToArray(), Is.EqualTo(w.Values.ToArray()));
        }
    }

    [Test]
    public void Populate_fills_a_model_by_names()
    {
        using Model saved = MakeModel(seed: 1);
        saved.Save(In("a"));
        using Model filled = MakeModel(seed: 2);
        using Model streamed = MakeModel(seed: 3);
        filled.Populate(In("a"));
        using (FileStream stream = File.OpenRead(In("a")))
            streamed.Populate(stream);
        AssertSame(filled, saved);
        AssertSame(streamed, saved);
    }

    [Test]
    public void Populate_shows_in_a_graph_at_its_next_forward()
    {
        using var model = new Model();
        Parameter w = model.AddParameters([2], Initializer.Constant(1), "W");
        using var graph = new ComputationGraph();
        Expression sum = Ops.SumElems(graph.Parameter(w));
        Assert.That(sum.ScalarValue(), Is.EqualTo(2f));
        model.Populate(new DyNetText().Parameter("/W", "{2}", [3, 4]).AsStream());
        sum.Forward();
        Assert.That(sum.ScalarValue(), Is.EqualTo(7f));
    }

    [Test]
    public void A_subcollection_is_populated_from_another_path()
    {
        using var model = new Model();
        using Model part = model.AddSubcollection("mine");
        Parameter w = part.AddParameters([2], name: "W");
        DyNetText text = new DyNetText().Parameter("/other", "{1}", [9]).Parameter("/theirs/W", "{2}", [3, 4]);
        part.Populate(text.AsStream(), "/theirs/");
        Assert.That(w.Values.ToArray(), Is.EqualTo(new float[] { 3, 4 }));
    }

    [TestCase("{3}")]
    [TestCase("{2,2}")]
    public void Populate_refuses_another_shape(string dim)
    {
        using var model = new Model();
        model.AddParameters([1], Initializer.Constant(5), "first");
        model.AddParameters([2], Initializer.Constant(5), "W");
        double[] values = dim == "{3}" ? [1, 2, 3] : [1, 2, 3, 4];
        DyNetText text = new DyNetText().Parameter("/first", "{1}", [1]).Parameter("/W", dim, values);
        Assert.That(
            () => model.Populate(text.AsStream()),
            Throws.TypeOf<ModelFormatException>().With.Message.Contains("/W").And.Message.Contains(dim));
        AssertUntouched(model);
    }

    [Test]
    public void Populate_refuses_a_file_that_lacks_a_parameter()
    {
        using var model = new Model();
        model.AddParameters([1], Initializer.Constant(5), "first");
        model.AddParameters([2], Initializer.Constant(5), "W");
        Assert.That(
            () => model.Populate(new DyNetText().Parameter("/first", "{1}", [1]).AsStream()),
            Throws.TypeOf<ModelFormatException>().With.Message.Contains("/W"));
        AssertUntouched(model);
    }

    [TestCase("", "no parameters")]
    [TestCase("PK\u0003\u0004 something else entirely", "line 1")]
    [TestCase("{\"version\": 3}\n", "line 1")]
    [TestCase("#Parameter# /W {2} 33 ZERO_GRAD\n+1.0e+00 nonsense \n", "line 2")]
    [TestCase("#Parameter# /W {2,0} 1 ZERO_GRAD\n\n", "{2,0}")]
    [TestCase("#Parameter# /W 2 33 ZERO_GRAD\n", "line 1")]
    [TestCase("#Parameter# /W {2} 1000 ZERO_GRAD\n+1.0e+00 +2.0e+00 \n", "1000")]
    [TestCase("#Parameter# /W {99999,99999,99} 33 ZERO_GRAD\n+1.0e+00 \n", "/W")]
    public void A_damaged_or_foreign_file_is_refused(string text, string inMessage)
    {
        File.WriteAllText(In("bad"), text);
        using var model = new Model();
        model.AddParameters([2], Initializer.Constant(5), "W");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => Model.Load(In("bad")), Throws.TypeOf<ModelFormatException>().With.Message.Contains(inMessage));
            Assert.That(
                () => Model.Load(new MemoryStream(Encoding.UTF8.GetBytes(text))),
                Throws.TypeOf<ModelFormatException>());
            Assert.That(() => model.Populate(In("bad")), Throws.TypeOf<ModelFormatException>());
        }
        AssertUntouched(model);
    }

    [Test]
    public void A_file_cut_anywhere_is_refused_or_holds_less_but_never_lies()
    {
        using Model model = MakeModel();
        using var stream = new MemoryStream();
        model.Save(stream, withGradients: true);
        byte[] whole = stream.ToArray();
        string[] names = [.. model.Parameters.Select(parameter => parameter.ToString())];
        for (int length = 0; length < whole.Length; length++)
        {
            try
            {
                using Model loaded = Model.Load(new MemoryStream(whole, 0, length));
                // Cut exactly between two parameters: what is there is right.
                Assert.That(whole[length - 1], Is.EqualTo((byte)'\n'));
                Assert.That(names, Is.SupersetOf(loaded.Parameters.Select(parameter => parameter.ToString())));
                foreach (Parameter parameter in loaded.Parameters)
                    Assert.That(parameter.Values.SequenceEqual(model[parameter.Name].Values), Is.True, parameter.Name);
            }
            catch (ModelFormatException exception)
            {
                Assert.That(exception.Message, Is.Not.Empty);
            }
        }
        Assert.That(
            () => model.Populate(new MemoryStream(whole, 0, whole.Length - 1)), Throws.TypeOf<ModelFormatException>());
    }

    [Test]
    public void A_file_that_does_not_exist_is_named()
    {
        using Model model = MakeModel();
        string path = In("missing.model");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => Model.Load(path),
                Throws.TypeOf<FileNotFoundException>().With.Message.Contains(path)
                    .And.Property(nameof(FileNotFoundException.FileName)).EqualTo(path));
            Assert.That(() => model.Populate(path), Throws.TypeOf<FileNotFoundException>());
        }
    }

    [Test]
    public void A_place_that_cannot_be_written_is_an_error()
    {
        using Model model = MakeModel();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => model.Save(In("no/such/folder/a.model")),
                Throws.TypeOf<DirectoryNotFoundException>().With.Message.Contains("no/such/folder"));
            Assert.That(() => model.Save(_folder), Throws.InstanceOf<IOException>(), "a folder");
            Assert.That(() => Model.Load(_folder), Throws.InstanceOf<IOException>(), "a folder");
            if (OperatingSystem.IsLinux())
            {
                Assert.That(
                    () => Model.Load("/proc/self/mem"), Throws.InstanceOf<IOException>(), "unreadable for root too");
                Assert.That(
                    () => model.Save("/proc/sys/kernel/dynnet.model"),
                    Throws.InstanceOf<IOException>(), "read-only for root too");
            }
        }
    }

    [Test]
    [Platform("Linux,MacOsX")]
    public void A_file_without_permission_is_an_error()
    {
        using Model model = MakeModel();
        string file = In("secret.model");
        model.Save(file);
        string locked = In("locked");
        Directory.CreateDirectory(locked);
#pragma warning disable CA1416 // the platform attribute above says so
        File.SetUnixFileMode(file, UnixFileMode.None);
        File.SetUnixFileMode(locked, UnixFileMode.UserRead | UnixFileMode.UserExecute);
#pragma warning restore CA1416
        try
        {
            using (File.OpenRead(file))
                Assert.Ignore("SKIPPED: this user (root?) may read and write what permissions forbid.");
        }
        catch (UnauthorizedAccessException)
        {
        }
        using (Assert.EnterMultipleScope())
        {
            AssertForbidden(() => Model.Load(file), file);
            AssertForbidden(() => model.Populate(file), file);
            AssertForbidden(() => model.Save(Path.Combine(locked, "a")), locked);
        }
    }

    [Test]
    [Platform("Linux")]
    public void What_not_even_root_may_write_is_an_error()
    {
        const string Kernel = "/sys/kernel";
        if (!Directory.Exists(Kernel))
            Assert.Ignore($"SKIPPED: there is no {Kernel}, where nobody may make a file.");
        using Model model = MakeModel();
        AssertForbidden(() => model.Save(Kernel + "/dynnet.model"), Kernel);
    }

    [Test]
    [Platform("Linux")]
    public void What_not_even_root_may_read_is_an_error()
    {
        const string WriteOnly = "/sys/bus/cpu/drivers_probe";
        if (!File.Exists(WriteOnly))
            Assert.Ignore($"SKIPPED: there is no {WriteOnly}, which nobody may read.");
        using Model model = MakeModel();
        using (Assert.EnterMultipleScope())
        {
            AssertForbidden(() => Model.Load(WriteOnly), WriteOnly);
            AssertForbidden(() => model.Populate(WriteOnly), WriteOnly);
        }
    }

    [Test]
    public void Saving_replaces_the_file_as_a_whole_and_leaves_nothing_else()
    {
        using Model model = MakeModel();
        string file = In("a.model");
        File.WriteAllText(file, new string('x', 100_000));
        model.Save(file);
        using Model loaded = Model.Load(file);
        AssertSame(loaded, model);
        Assert.That(Directory.GetFiles(_folder), Is.EqualTo([file]));
    }

    [Test]
    public void A_reader_beside_a_saver_sees_whole_files_only()
    {
        using Model model = MakeModel();
        string file = In("a.model");
        model.Save(file);
        using var stop = new CancellationTokenSource();
        Task saver = Task.Run(() =>
        {
            using Model mine = MakeModel();
            while (!stop.IsCancellationRequested)
                mine.Save(file);
        });
        for (int i = 0; i < 50; i++)
        {
            using Model loaded = Model.Load(file);
            Assert.That(loaded.ValuesCount, Is.EqualTo(model.ValuesCount));
        }
        stop.Cancel();
        saver.Wait();
        Assert.That(Directory.GetFiles(_folder), Is.EqualTo([file]));
    }

    [Test]
    public void A_failed_save_leaves_the_old_file()
    {
        using Model model = MakeModel();
        string file = In("a.model");
        model.Save(file);
        byte[] before = File.ReadAllBytes(file);
        Assert.That(() => model.Save(file, key: "no path"), Throws.ArgumentException);
        Assert.That(File.ReadAllBytes(file), Is.EqualTo(before));
    }

    [Test]
    public void What_a_stream_throws_comes_through()
    {
        using Model model = MakeModel();
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
        using Model model = MakeModel();
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
        AssertUntouched(model);
    }

    [Test]
    public void What_is_cancelled_beforehand_touches_no_stream()
    {
        using Model model = MakeModel();
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
        using Model model = MakeModel();
        using var cancellation = new CancellationTokenSource();
        using var stream = new MemoryStream();
        model.Save(stream, cancellationToken: cancellation.Token);
        stream.Position = 0;
        using Model loaded = Model.Load(stream, cancellationToken: cancellation.Token);
        AssertSame(loaded, model);
    }

    [Test]
    public void Nothing_is_no_file()
    {
        using Model model = MakeModel();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => Model.Load(""), Throws.ArgumentException);
            Assert.That(() => Model.Load((string)null!), Throws.ArgumentNullException);
            Assert.That(() => Model.Load((Stream)null!), Throws.ArgumentNullException);
            Assert.That(() => model.Save(""), Throws.ArgumentException);
            Assert.That(() => model.Save((Stream)null!), Throws.ArgumentNullException);
            Assert.That(() => model.Populate(""), Throws.ArgumentException);
            Assert.That(() => model.Populate(new MemoryStream(), null!), Throws.ArgumentNullException);
        }
    }

    private static Model MakeModel(long seed = 1)
    {
        var model = new Model(seed);
        model.AddParameters([3, 2], name: "W");
        using Model encoder = model.AddSubcollection("encoder");
        encoder.AddParameters([3], name: "b");
        encoder.AddLookupParameters(4, [2, 2], name: "E");
        model.AddParameters([2, 1, 2]);
        return model;
    }

    private static void AssertSame(Model actual, Model expected)
    {
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                actual.Parameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(expected.Parameters.Select(parameter => parameter.ToString())));
            Assert.That(
                actual.LookupParameters.Select(parameter => parameter.ToString()),
                Is.EqualTo(expected.LookupParameters.Select(parameter => parameter.ToString())));
            foreach (Parameter parameter in expected.Parameters)
                Assert.That(actual[parameter.Name].Values.ToArray(), Is.EqualTo(parameter.Values.ToArray()));
            foreach (LookupParameter table in expected.LookupParameters)
                Assert.That(actual.GetLookupParameter(table.Name).Values.ToArray(), Is.EqualTo(table.Values.ToArray()));
        }
    }

    private static void AssertUntouched(Model model) =>
        Assert.That(model.Parameters.SelectMany(parameter => parameter.Values.ToArray()), Is.All.EqualTo(5f));

    private static void AssertForbidden(Action use, string path) =>
        Assert.That(() => use(), Throws.TypeOf<UnauthorizedAccessException>().With.Message.Contains(path));

    private static void AssertCancelled(Action use, CancellationToken token) =>
        Assert.That(
            () => use(),
            Throws.TypeOf<OperationCanceledException>()
                .With.Property(nameof(OperationCanceledException.CancellationToken)).EqualTo(token));

    private string In(string name) => Path.Combine(_folder, name);

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
