using System.Runtime.Versioning;
using System.Text;

namespace DynNet.Native.Tests;

/// <summary>Vocabularies.</summary>
[TestFixture]
public sealed class DictTests
{
    private string _path = null!;

    [SetUp]
    public void MakePath() => _path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());

    [TearDown]
    public void DeleteFile() => File.Delete(_path);

    [Test]
    public void Numbers_words_as_it_meets_them()
    {
        var dict = new Dict();
        int[] ids = [.. new[] { "a", "b", "a", "ä", "B", "b" }.Select(dict.Convert)];
        using (Assert.EnterMultipleScope())
        {
            Assert.That(ids, Is.EqualTo([0, 1, 0, 2, 3, 1]));
            Assert.That(dict.Count, Is.EqualTo(4));
            Assert.That(dict.Words, Is.EqualTo(["a", "b", "ä", "B"]));
            Assert.That(dict.Convert(2), Is.EqualTo("ä"));
            Assert.That(dict.Contains("B"), Is.True);
            Assert.That(dict.Contains("c"), Is.False);
            Assert.That(dict.Count, Is.EqualTo(4), "asking adds nothing");
            Assert.That(() => dict.Convert(4), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => dict.Convert(-1), Throws.TypeOf<ArgumentOutOfRangeException>());
            Assert.That(() => dict.Convert(null!), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void That_of_a_trained_model_is_read_frozen()
    {
        var dict = new Dict();
        foreach (string word in (string[])["a", "<unk>", "b"])
            dict.Convert(word);
        dict.Freeze();
        dict.SetUnknown("<unk>");
        dict.Save(_path);
        using var stream = new MemoryStream(File.ReadAllBytes(_path));
        using (Assert.EnterMultipleScope())
        {
            foreach (Dict read in (Dict[])[Dict.Load(_path, "<unk>"), Dict.Load(stream, unknown: "<unk>")])
            {
                Assert.That(read.Words, Is.EqualTo(["a", "<unk>", "b"]));
                Assert.That(read.IsFrozen, Is.True);
                Assert.That(read.UnknownId, Is.EqualTo(1));
                Assert.That(read.Convert("never seen"), Is.EqualTo(1));
                Assert.That(read.Count, Is.EqualTo(3));
            }
            Assert.That(Dict.Load(_path).IsFrozen, Is.False, "of what is written nothing says so");
            Assert.That(
                () => Dict.Load(_path, "<other>"),
                Throws.TypeOf<InvalidDataException>().With.Message.Contains("<other>"));
            Assert.That(() => Dict.Load(_path, null!), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void Frozen_it_adds_nothing()
    {
        var dict = new Dict();
        dict.Convert("a");
        Assert.That(dict.IsFrozen, Is.False);
        dict.Freeze();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(dict.IsFrozen, Is.True);
            Assert.That(dict.Convert("a"), Is.Zero);
            Assert.That(
                () => dict.Convert("b"), Throws.TypeOf<KeyNotFoundException>().With.Message.Contains(" b."));
            Assert.That(dict.Count, Is.EqualTo(1));
            Assert.That(dict.UnknownId, Is.EqualTo(-1));
        }
    }

    [Test]
    public void Unknown_words_have_a_word_once_it_is_frozen()
    {
        var dict = new Dict();
        dict.Convert("a");
        Assert.That(() => dict.SetUnknown("<unk>"), Throws.InvalidOperationException);
        dict.Freeze();
        dict.SetUnknown("<unk>");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(dict.UnknownId, Is.EqualTo(1));
            Assert.That(dict.Convert("b"), Is.EqualTo(1));
            Assert.That(dict.Convert("<unk>"), Is.EqualTo(1));
            Assert.That(dict.Convert("a"), Is.Zero);
            Assert.That(dict.Convert(1), Is.EqualTo("<unk>"));
            Assert.That(dict.IsFrozen, Is.True);
            Assert.That(dict.Count, Is.EqualTo(2));
            Assert.That(() => dict.SetUnknown("?"), Throws.InvalidOperationException.With.Message.Contains("<unk>"));
        }
    }

    [Test]
    public void A_word_that_it_has_may_be_that_for_unknown_ones()
    {
        var dict = new Dict();
        dict.Convert("?");
        dict.Convert("a");
        dict.Freeze();
        dict.SetUnknown("?");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(dict.Convert("b"), Is.Zero);
            Assert.That(dict.Count, Is.EqualTo(2));
        }
    }

    [Test]
    public void Cleared_it_has_no_words_and_stays_frozen()
    {
        var dict = new Dict();
        dict.Convert("a");
        dict.Freeze();
        dict.SetUnknown("?");
        dict.Clear();
        using (Assert.EnterMultipleScope())
        {
            Assert.That(dict.Count, Is.Zero);
            Assert.That(dict.Contains("a"), Is.False);
            Assert.That(dict.UnknownId, Is.EqualTo(-1));
            Assert.That(dict.IsFrozen, Is.True);
            Assert.That(() => dict.Convert("a"), Throws.TypeOf<KeyNotFoundException>());
        }
    }

    [Test]
    public void Reads_sentences()
    {
        var source = new Dict();
        var target = new Dict();
        int[] sentence = source.ReadSentence("  the  cat\tsees the dog ");
        (int[] left, int[] right) = source.ReadSentencePair("the dog ||| der Hund", target);
        (int[] alone, int[] nothing) = source.ReadSentencePair("the cat", target);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(sentence, Is.EqualTo([0, 1, 2, 0, 3]));
            Assert.That(left, Is.EqualTo([0, 3]));
            Assert.That(right, Is.EqualTo([0, 1]));
            Assert.That(target.Words, Is.EqualTo(["der", "Hund"]));
            Assert.That(alone, Is.EqualTo([0, 1]));
            Assert.That(nothing, Is.Empty);
            Assert.That(source.ReadSentence(" "), Is.Empty);
        }
    }

    [Test]
    public void Is_the_same_from_a_file()
    {
        var dict = new Dict();
        foreach (string word in (ReadOnlySpan<string>)["b", "ä", "two words", "日本", "a"])
            dict.Convert(word);
        dict.Save(_path);
        var again = Dict.Load(_path);
        again.Convert("new");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(File.ReadAllBytes(_path), Is.EqualTo(Encoding.UTF8.GetBytes("b\nä\ntwo words\n日本\na\n")));
            Assert.That(again.Words, Is.EqualTo([.. dict.Words, "new"]));
            Assert.That(again.IsFrozen, Is.False);
            Assert.That(() => Dict.Load(_path + ".not"), Throws.TypeOf<FileNotFoundException>());
        }
    }

    [Test]
    [UnsupportedOSPlatform("windows")]
    public void A_file_that_is_replaced_keeps_its_permissions_and_links()
    {
        var dict = new Dict();
        dict.Convert("a");
        string link = _path + ".link";
        File.WriteAllText(_path, "old");
        File.SetUnixFileMode(_path, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        File.CreateSymbolicLink(link, _path);
        dict.Save(link);
        try
        {
            using (Assert.EnterMultipleScope())
            {
                Assert.That(new FileInfo(link).LinkTarget, Is.EqualTo(_path));
                Assert.That(File.ReadAllText(_path), Is.EqualTo("a\n"));
                Assert.That(File.GetUnixFileMode(_path), Is.EqualTo(UnixFileMode.UserRead | UnixFileMode.UserWrite));
            }
        }
        finally
        {
            File.Delete(link);
        }
    }

    [Test]
    [Platform("Linux")]
    public void A_full_device_is_reported()
    {
        var dict = new Dict();
        dict.Convert("a");
        Assert.That(
            () => dict.Save("/dev/full"),
            Throws.TypeOf<IOException>().With.Message.Contains("/dev/full").And.Message.Contains("space"));
    }

    [TestCase("\ufeff")]
    [TestCase("\ufeffa")]
    [TestCase("\ufeff\ufeffa")]
    public void A_first_word_that_begins_like_a_byte_order_mark_is_kept(string word)
    {
        var dict = new Dict();
        dict.Convert(word);
        dict.Convert("a");
        dict.Convert("\ufeffb");
        dict.Save(_path);
        using var stream = new MemoryStream();
        dict.Save(stream);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Dict.Load(_path).Words, Is.EqualTo(dict.Words));
            Assert.That(stream.ToArray(), Is.EqualTo(File.ReadAllBytes(_path)));
        }
    }

    [Test]
    public void A_byte_order_mark_is_no_part_of_the_first_word()
    {
        using var words = new MemoryStream(Encoding.UTF8.GetBytes("\ufeffa\nb\n"));
        using var nothing = new MemoryStream(Encoding.UTF8.GetBytes("\ufeff"));
        using var line = new MemoryStream(Encoding.UTF8.GetBytes("\ufeff\na\n"));
        using var other = new MemoryStream([0xff, 0xfe, (byte)'a', 0, (byte)'\n', 0]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(Dict.Load(words).Words, Is.EqualTo(["a", "b"]));
            Assert.That(Dict.Load(nothing).Words, Is.Empty);
            Assert.That(
                () => Dict.Load(line), Throws.TypeOf<InvalidDataException>().With.Message.Contains("Line 1 is empty"));
            Assert.That(
                () => Dict.Load(other),
                Throws.TypeOf<InvalidDataException>().With.Message.Contains("UTF-8"), "that of UTF-16");
        }
    }

    [TestCase("a\n\nb\n", "Line 2")]
    [TestCase("a\nb\na\n", "Line 3")]
    public void A_damaged_file_is_an_error(string text, string message)
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes(text));
        Assert.That(() => Dict.Load(stream), Throws.TypeOf<InvalidDataException>().With.Message.Contains(message));
    }

    [Test]
    public void A_file_that_is_not_text_is_an_error()
    {
        using var stream = new MemoryStream([(byte)'a', (byte)'\n', 0xff, 0xfe, (byte)'\n']);
        Assert.That(() => Dict.Load(stream), Throws.TypeOf<InvalidDataException>());
    }

    [TestCase("")]
    [TestCase("a\nb")]
    [TestCase("a\r")]
    public void A_word_that_a_line_cannot_hold_is_an_error(string word)
    {
        File.WriteAllText(_path, "old");
        var dict = new Dict();
        dict.Convert(word);
        Assert.That(() => dict.Save(_path), Throws.InvalidOperationException);
        Assert.That(File.ReadAllText(_path), Is.EqualTo("old"));
    }

    [Test]
    public void A_word_that_is_no_text_is_an_error()
    {
        var dict = new Dict();
        dict.Convert(new string('\ud800', 1));
        using var stream = new MemoryStream();
        Assert.That(() => dict.Save(stream), Throws.InvalidOperationException);
        Assert.That(stream.Length, Is.Zero);
    }
}
