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

    [Test]
    public void A_byte_order_mark_is_no_part_of_the_first_line()
    {
        File.WriteAllText(_path, "\ufeffx\tcat\nx\tdog\n\ufeffx\tcow\n");
        var classes = new ClassFactoredSoftmaxBuilder(_model, 3, _path, _words);
        var paths = new HierarchicalSoftmaxBuilder(_model, 3, _path, _words);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_words.Words, Is.EqualTo(["cat", "dog", "cow"]));
            // The third line's is no mark, and so a cluster of its own.
            Assert.That(classes.ClusterCount, Is.EqualTo(2));
            Assert.That(classes.WordsOf(0), Is.EqualTo([0, 1]));
            Assert.That(paths.Parameters, Has.Count.EqualTo(4), "two choices of two");
        }
    }

    [Test]
    public void A_file_that_is_not_utf8_is_an_error()
    {
        File.WriteAllBytes(_path, [0xff, 0xfe, .. System.Text.Encoding.Unicode.GetBytes("x\tcat\n")]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => new ClassFactoredSoftmaxBuilder(_model, 3, _path, _words),
                Throws.TypeOf<InvalidDataException>().With.Message.Contains("line 1").And.Message.Contains("UTF-8"));
            Assert.That(
                () => new HierarchicalSoftmaxBuilder(_model, 3, _path, _words),
                Throws.TypeOf<InvalidDataException>().With.Message.Contains("line 1").And.Message.Contains("UTF-8"));
        }
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
