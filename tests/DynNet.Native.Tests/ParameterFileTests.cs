namespace DynNet.Native.Tests;

/// <summary>One parameter in a file: written, read into one that there is, and added with the shape that it has.</summary>
[TestFixture]
public sealed class ParameterFileTests : FolderFixture
{
    private static readonly float[] _values = [1, -2, 3, 0.5f, 4, 8];

    private readonly List<IDisposable> _made = [];

    [TearDown]
    public void Free()
    {
        _made.ForEach(made => made.Dispose());
        _made.Clear();
    }

    [Test]
    public void A_parameter_is_written_as_a_model_that_has_no_other()
    {
        Model model = Made(new Model());
        Parameter w = model.AddParameters([2, 3], Initializer.FromArray(_values), "W");
        model.Save(In("model"));
        w.Save(In("own"));
        using var stream = new MemoryStream();
        w.Save(stream);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(File.ReadAllText(In("own")), Is.EqualTo(File.ReadAllText(In("model"))));
            Assert.That(stream.ToArray(), Is.EqualTo(File.ReadAllBytes(In("model"))));
        }
    }

    [Test]
    public void Several_go_into_one_stream_under_names_of_their_own()
    {
        Model model = Made(new Model());
        Parameter w = model.AddParameters([2, 3], Initializer.FromArray(_values), "W");
        LookupParameter e = model.AddLookupParameters(3, [2], Initializer.FromArray(_values), "E");
        using (FileStream stream = File.Create(In("a")))
        {
            w.Save(stream, "/first");
            w.Save(stream, "/part/second");
            e.Save(stream, "/part/table");
        }
        using Model loaded = Model.Load(In("a"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(loaded.Parameters.Select(p => p.Name), Is.EqualTo(["/first", "/part/second"]));
            Assert.That(loaded.Parameters.Select(p => p.Values.ToArray()), Is.All.EqualTo(_values));
            Assert.That(loaded.GetLookupParameter("/part/table").Row(2).ToArray(), Is.EqualTo(_values[4..]));
        }
    }

    [Test]
    public void Both_kinds_are_read_from_files_and_streams_by_their_own_names_or_others()
    {
        (Model saved, Parameter w, LookupParameter e) = WithGradients();
        saved.Save(In("a"), withGradients: true);
        Model other = Made(new Model());
        Parameter same = other.AddParameters([2, 3], name: "W");
        Parameter another = other.AddParameters([2, 3], name: "V");
        LookupParameter sameTable = other.AddLookupParameters(3, [2], name: "E");
        LookupParameter anotherTable = other.AddLookupParameters(3, [2], name: "F");
        same.Populate(In("a"));
        another.Populate(new MemoryStream(File.ReadAllBytes(In("a"))), "/W");
        sameTable.Populate(new MemoryStream(File.ReadAllBytes(In("a"))));
        anotherTable.Populate(In("a"), "/E");
        using (Assert.EnterMultipleScope())
        {
            foreach (Parameter read in new[] { same, another })
            {
                Assert.That(read.Values.ToArray(), Is.EqualTo(w.Values.ToArray()));
                Assert.That(read.Gradient.ToArray(), Is.EqualTo(w.Gradient.ToArray()));
            }
            foreach (LookupParameter read in new[] { sameTable, anotherTable })
            {
                Assert.That(read.Row(1).ToArray(), Is.EqualTo(e.Row(1).ToArray()));
                Assert.That(read.RowGradient(1), Is.EqualTo(e.RowGradient(1)));
            }
        }
    }

    [Test]
    public void Gradients_are_written_only_on_demand_and_forgotten_where_the_file_has_none()
    {
        (_, Parameter w, LookupParameter e) = WithGradients();
        float[] gradient = w.Gradient.ToArray();
        Assert.That(gradient, Is.Not.All.Zero);
        w.Save(In("with"), withGradient: true);
        w.Save(In("without"));
        e.Save(In("table"));
        w.Populate(In("without"));
        e.Populate(In("table"));
        Assert.That(w.Gradient.ToArray(), Is.All.Zero);
        Assert.That(e.RowGradient(1), Is.All.Zero);
        w.Populate(In("with"));
        Assert.That(w.Gradient.ToArray(), Is.EqualTo(gradient));
    }

    [Test]
    public void They_are_added_with_the_shape_that_the_file_has()
    {
        (Model saved, Parameter w, LookupParameter e) = WithGradients();
        saved.Save(In("a"), withGradients: true);
        Model model = Made(new Model());
        using Model part = model.AddSubcollection("part");
        Parameter v = part.LoadParameters(In("a"), "/W", "V");
        LookupParameter f = model.LoadLookupParameters(In("a"), "/E");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(v.ToString(), Is.EqualTo("/part/V {2,3}"));
            Assert.That(v.Values.ToArray(), Is.EqualTo(w.Values.ToArray()));
            Assert.That(v.Gradient.ToArray(), Is.EqualTo(w.Gradient.ToArray()));
            Assert.That((f.Rows, f.Dim), Is.EqualTo((3, e.Dim)));
            Assert.That(f.Row(2).ToArray(), Is.EqualTo(e.Row(2).ToArray()));
            Assert.That(f.RowGradient(1), Is.EqualTo(e.RowGradient(1)));
            AssertWrong(() => model.LoadParameters(In("a"), "/X"), "no parameter /X");
            AssertWrong(() => model.LoadParameters(In("a"), "/E"), "line", "/E is no parameter");
            AssertWrong(() => model.LoadLookupParameters(In("a"), "/W"), "line", "/W is no lookup parameter");
            Assert.That(() => model.LoadParameters(In("a"), "W"), Throws.ArgumentException.With.Message.Contains("W"));
            Assert.That(() => model.LoadLookupParameters(In("none"), "/E"), Throws.TypeOf<FileNotFoundException>());
            Assert.That(model.Parameters, Has.Count.EqualTo(1), "a failure adds none");
        }
    }

    [Test]
    public void What_does_not_fit_is_said_and_changes_nothing()
    {
        (Model saved, _, _) = WithGradients();
        saved.Save(In("a"));
        Model model = Made(new Model());
        Parameter w = model.AddParameters([3, 2], Initializer.Constant(7), "W");
        LookupParameter e = model.AddLookupParameters(4, [2], Initializer.Constant(7), "E");
        using (Assert.EnterMultipleScope())
        {
            AssertWrong(() => w.Populate(In("a")), "line 1", "/W", "{2,3}", "{3,2}");
            AssertWrong(() => w.Populate(In("a"), "/none"), "/none", "/W");
            AssertWrong(() => w.Populate(In("a"), "/E"), "/E", "no parameter");
            AssertWrong(() => e.Populate(In("a")), "/E", "3 rows", "4");
            AssertWrong(() => e.Populate(In("a"), "/W"), "/W", "no lookup parameter");
            Assert.That(w.Values.ToArray(), Is.All.EqualTo(7f));
            Assert.That(e.Row(0).ToArray(), Is.All.EqualTo(7f));
            foreach (string name in new[] { "W", "/W/", "/a b", "/" })
            {
                Assert.That(() => w.Save(In("b"), name), Throws.ArgumentException.With.Message.Contains(name));
                Assert.That(() => e.Populate(In("a"), name), Throws.ArgumentException.With.Message.Contains(name));
            }
            Assert.That(() => w.Save(In("no/folder")), Throws.TypeOf<DirectoryNotFoundException>());
            Assert.That(() => e.Populate(In("none")), Throws.TypeOf<FileNotFoundException>());
            Assert.That(File.Exists(In("b")), Is.False);
        }
    }

    [Test]
    public void A_cancelled_call_changes_nothing_and_a_disposed_model_says_so()
    {
        (Model saved, Parameter w, LookupParameter e) = WithGradients();
        float[] before = w.Values.ToArray();
        using var stream = new MemoryStream();
        var cancelled = new CancellationToken(canceled: true);
        Assert.That(
            () => w.Save(stream, cancellationToken: cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(
            () => e.Populate(stream, cancellationToken: cancelled), Throws.InstanceOf<OperationCanceledException>());
        Assert.That(stream.Length, Is.Zero);
        Assert.That(w.Values.ToArray(), Is.EqualTo(before));
        saved.Dispose();
        Assert.That(() => w.Save(In("a")), Throws.TypeOf<ObjectDisposedException>());
        Assert.That(() => e.Populate(In("a")), Throws.TypeOf<ObjectDisposedException>());
    }

    private (Model Model, Parameter W, LookupParameter E) WithGradients()
    {
        Model model = Made(new Model());
        Parameter w = model.AddParameters([2, 3], Initializer.FromArray(_values), "W");
        LookupParameter e = model.AddLookupParameters(3, [2], Initializer.FromArray(_values), "E");
        using var graph = new ComputationGraph();
        (Ops.SumElems(Ops.Square(graph.Parameter(w))) + Ops.SumElems(graph.Lookup(e, 1))).Backward();
        return (model, w, e);
    }

    private T Made<T>(T made)
        where T : IDisposable
    {
        _made.Add(made);
        return made;
    }

    [Test]
    public void Only_the_one_of_that_name_is_read()
    {
        (Model saved, Parameter w, _) = WithGradients();
        saved.Save(In("a"));
        File.AppendAllText(In("a"), "#Parameter# /W2 {1} 10 ZERO_GRAD\nno number\n");
        Model model = Made(new Model());
        Parameter read = model.LoadParameters(In("a"), "/W");
        read.Populate(In("a"), "/W");
        Assert.That(read.Values.ToArray(), Is.EqualTo(w.Values.ToArray()));
        AssertWrong(() => model.LoadParameters(In("a"), "/W2"), "/W2");
        AssertWrong(() => read.Populate(In("a"), "/W3"), "no parameter /W3 for the model's /_0");
    }

    private static void AssertWrong(Action call, params string[] parts)
    {
        string message = Assert.Throws<ModelFormatException>(call)!.Message;
        foreach (string part in parts)
            Assert.That(message, Does.Contain(part));
    }
}
