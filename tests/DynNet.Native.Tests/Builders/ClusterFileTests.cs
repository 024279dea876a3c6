namespace DynNet.Native.Tests;

/// <summary>Files that say which cluster a word is in, and what is wrong with wrong ones.</summary>
[TestFixture]
public sealed class ClusterFileTests
{
    private Model _model = null!;
    private string _path = null!;
    private Dict _words = null!;

    [SetUp]
    public void MakeModel()
    {
        _model = new Model();
        _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        _words = new Dict();
    }

    [TearDown]
    public void DisposeModel()
    {
        _model.Dispose();
        File.Delete(_path);
    }

    [TestCase("", "line 1")]
    [TestCase("x cat\nx\n", "line 2")]
    [TestCase("x cat\n\ny dog\n", "line 2")]
    [TestCase("x cat\ny dog\ny cat\n", "line 3")]
    public void A_damaged_file_of_classes_is_an_error(string text, string message)
    {
        File.WriteAllText(_path, text);
        Assert.That(
            () => new ClassFactoredSoftmaxBuilder(_model, 3, _path, _words),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
        Assert.That(_model.Parameters, Is.Empty);
    }

    [TestCase("", "line 1")]
    [TestCase("0 1\tcat\n0 0 dog\n", "line 2")]
    [TestCase("\tcat\n", "line 1")]
    [TestCase("0\tcat\n0 1\tdog\n", "line 2")]
    [TestCase("0 1\tcat\n0\tdog\n", "line 2")]
    [TestCase("0\tcat\n1\tcat\n", "line 2")]
    public void A_damaged_file_of_paths_is_an_error(string text, string message)
    {
        File.WriteAllText(_path, text);
        Assert.That(
            () => new HierarchicalSoftmaxBuilder(_model, 3, _path, _words),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
        Assert.That(_model.Parameters, Is.Empty);
    }

    [TestCase(false)]
    [TestCase(true)]
    public void A_file_needs_words_of_the_vocabulary(bool hasUnknown)
    {
        _words.Convert("cat");
        _words.Freeze();
        if (hasUnknown)
            _words.SetUnknown("<unk>");
        File.WriteAllText(_path, "0\tcat\n1\tdog\n2\tcow\n");
        string what = $"line 2: the frozen vocabulary of {_words.Count} words does not have dog";
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => new ClassFactoredSoftmaxBuilder(_model, 3, _path, _words),
                Throws.TypeOf<InvalidDataException>().With.Message.Contains(what));
            Assert.That(
                () => new HierarchicalSoftmaxBuilder(_model, 3, _path, _words),
                Throws.TypeOf<InvalidDataException>().With.Message.Contains(what));
            Assert.That(
                () => new ClassFactoredSoftmaxBuilder(_model, 3, _path + ".not", _words),
                Throws.TypeOf<FileNotFoundException>());
        }
    }
}
