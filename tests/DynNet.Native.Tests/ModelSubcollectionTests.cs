namespace DynNet.Native.Tests;

/// <summary>Finding the parts of a model, made or loaded.</summary>
[TestFixture]
public sealed class ModelSubcollectionTests
{
    private Model _model = null!;

    [SetUp]
    public void MakeModel()
    {
        _model = new Model();
        using Model encoder = _model.AddSubcollection("encoder");
        using Model decoder = _model.AddSubcollection("decoder");
        using Model layer = encoder.AddSubcollection("layer");
        using Model second = encoder.AddSubcollection("layer");
        decoder.AddParameters([2], name: "W");
        layer.AddParameters([3], name: "W");
        second.AddLookupParameters(2, [2], name: "E");
    }

    [TearDown]
    public void DisposeModel() => _model.Dispose();

    [Test]
    public void Are_listed_in_the_order_of_their_creation()
    {
        using Model encoder = _model.GetSubcollection("encoder"), decoder = _model.GetSubcollection("decoder");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                Paths(_model), Is.EqualTo(["/encoder/", "/decoder/", "/encoder/layer/", "/encoder/layer_1/"]));
            Assert.That(Paths(encoder), Is.EqualTo(["/encoder/layer/", "/encoder/layer_1/"]));
            Assert.That(Paths(decoder), Is.Empty);
        }
    }

    [Test]
    public void Are_found_by_path()
    {
        using Model encoder = _model.GetSubcollection("/encoder/");
        using Model layer = encoder.GetSubcollection("layer");
        Parameter added = layer.AddParameters([1], name: "b");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(layer.Path, Is.EqualTo("/encoder/layer/"));
            Assert.That(layer.Name, Is.EqualTo("layer"));
            Assert.That(layer.Parameters.Select(each => each.Name), Is.EqualTo(["/encoder/layer/W", added.Name]));
            Assert.That(added.Name, Is.EqualTo("/encoder/layer/b"));
            Assert.That(_model.Parameters, Contains.Item(added));
            Assert.That(_model.GetSubcollection("encoder/layer_1").LookupParameters, Has.Count.EqualTo(1));
            // What is not below it is not in it.
            Assert.That(() => encoder.GetSubcollection("/decoder"), Throws.TypeOf<KeyNotFoundException>());
        }
    }

    [Test]
    public void What_is_not_there_is_said()
    {
        using Model encoder = _model.GetSubcollection("encoder");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_model.TryGetSubcollection("layer", out Model? none), Is.False);
            Assert.That(none, Is.Null);
            Assert.That(encoder.TryGetSubcollection("layer", out Model? layer), Is.True);
            Assert.That(layer!.Path, Is.EqualTo("/encoder/layer/"));
            Assert.That(
                () => encoder.GetSubcollection("laier"),
                Throws.TypeOf<KeyNotFoundException>().With.Message.Contains("/encoder/laier/")
                    .And.Message.Contains("/encoder/layer_1/"));
            Assert.That(() => _model.GetSubcollection(""), Throws.ArgumentException);
            Assert.That(() => _model.GetSubcollection(null!), Throws.ArgumentNullException);
            Assert.That(() => _model.GetSubcollection("encod"), Throws.TypeOf<KeyNotFoundException>());
            // A parameter is no sub-collection.
            Assert.That(() => _model.GetSubcollection("decoder/W"), Throws.TypeOf<KeyNotFoundException>());
        }
    }

    [Test]
    public void A_loaded_model_has_those_of_the_file()
    {
        using Model empty = _model.AddSubcollection("empty");
        using var stream = new MemoryStream();
        _model.Save(stream);
        stream.Position = 0;
        using Model loaded = Model.Load(stream);
        stream.Position = 0;
        using Model part = Model.Load(stream, key: "/encoder/");
        using Model decoder = loaded.GetSubcollection("decoder");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                Paths(loaded), Is.EqualTo(["/decoder/", "/encoder/", "/encoder/layer/", "/encoder/layer_1/"]));
            Assert.That(decoder["W"].Values.ToArray(), Is.EqualTo(_model["/decoder/W"].Values.ToArray()));
            Assert.That(Paths(part), Is.EqualTo(["/layer/", "/layer_1/"]));
            // A name of the file is in use.
            Assert.That(loaded.AddSubcollection("decoder").Path, Is.EqualTo("/decoder_1/"));
            Assert.That(Paths(loaded)[^1], Is.EqualTo("/decoder_1/"));
        }
    }

    [Test]
    public void Objects_are_disposed_one_by_one()
    {
        Model first = _model.GetSubcollection("encoder"), second = _model.GetSubcollection("encoder");
        first.Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => first.Parameters, Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => first.GetSubcollections(), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(second.Parameters, Has.Count.EqualTo(1));
        }
        _model.Dispose();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => _model.GetSubcollections(), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => second.GetSubcollections(), Throws.TypeOf<ObjectDisposedException>());
            Assert.That(() => _model.TryGetSubcollection("encoder", out _), Throws.TypeOf<ObjectDisposedException>());
        }
    }

    private static string[] Paths(Model model) => [.. model.GetSubcollections().Select(each => each.Path)];
}
