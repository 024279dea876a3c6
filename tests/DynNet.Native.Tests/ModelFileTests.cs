using System.Text;

namespace DynNet.Native.Tests;

/// <summary>Model files: saving, loading, populating, and what is wrong with a wrong one.</summary>
[TestFixture]
public sealed class ModelFileTests : FolderFixture
{
    [Test]
    public void A_saved_model_loads_with_the_same_names_shapes_and_bits()
    {
        using Model model = ModelFiles.Make();
        string file = In("a.model");
        model.Save(file);
        using Model loaded = Model.Load(file);
        ModelFiles.AssertSame(loaded, model);
    }

    [Test]
    public void A_model_goes_through_streams_too()
    {
        using Model model = ModelFiles.Make();
        using var stream = new MemoryStream();
        model.Save(stream);
        string file = In("a.model");
        model.Save(file);
        Assert.That(stream.ToArray(), Is.EqualTo(File.ReadAllBytes(file)), "the same bytes");
        stream.Position = 0;
        using Model loaded = Model.Load(stream);
        Assert.That(stream.CanRead, Is.True, "it stays open");
        ModelFiles.AssertSame(loaded, model);
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
        using Model model = ModelFiles.Make();
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
        using Model model = ModelFiles.Make();
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
        using Model saved = ModelFiles.Make(seed: 1);
        saved.Save(In("a"));
        using Model filled = ModelFiles.Make(seed: 2);
        using Model streamed = ModelFiles.Make(seed: 3);
        filled.Populate(In("a"));
        using (FileStream stream = File.OpenRead(In("a")))
            streamed.Populate(stream);
        ModelFiles.AssertSame(filled, saved);
        ModelFiles.AssertSame(streamed, saved);
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
        ModelFiles.AssertUntouched(model);
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
        ModelFiles.AssertUntouched(model);
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
        ModelFiles.AssertUntouched(model);
    }

    [Test]
    public void A_file_cut_anywhere_is_refused_or_holds_less_but_never_lies()
    {
        using Model model = ModelFiles.Make();
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
    public void Nothing_is_no_file()
    {
        using Model model = ModelFiles.Make();
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
}
