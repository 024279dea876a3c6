using System.Text;

namespace DynNet.Native.Tests;

/// <summary>Vectors of words in files.</summary>
[TestFixture]
public sealed class PretrainedEmbeddingsTests : FolderFixture
{
    private Dict _words = null!;

    [SetUp]
    public void MakeWords() => _words = new Dict();

    [Test]
    public void A_file_of_words_and_numbers_is_read()
    {
        // As DyNet writes it, with numbers in columns; and with a tab.
        PretrainedEmbeddings read = Load("cat  0.5   -1 2e-3\ndog\t1 2 3\nköter 4 5 6 \n");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_words.Words, Is.EqualTo(["cat", "dog", "köter"]));
            Assert.That(read.Size, Is.EqualTo(3));
            Assert.That(read.Vectors, Has.Count.EqualTo(3));
            Assert.That(read.Vectors[0], Is.EqualTo([0.5f, -1, 2e-3f]));
            Assert.That(read.Vectors[2], Is.EqualTo([4f, 5, 6]));
        }
    }

    [Test]
    public void A_header_says_how_much_there_is()
    {
        PretrainedEmbeddings read = Load("2 3\ncat 1 2 3\ndog 4 5 6\n", hasHeader: true);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(read.Size, Is.EqualTo(3));
            Assert.That(_words.Words, Is.EqualTo(["cat", "dog"]));
            Assert.That(read.Vectors[1], Is.EqualTo([4f, 5, 6]));
        }
    }

    [Test]
    public void A_frozen_vocabulary_takes_only_its_own_words()
    {
        _words.Convert("dog");
        _words.Convert("cow");
        _words.Freeze();
        _words.SetUnknown("<unk>");
        PretrainedEmbeddings read = Load("cat 1 2\ndog 3 4\nowl 5 6\n<unk> 7 8\n");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_words.Words, Is.EqualTo(["dog", "cow", "<unk>"]));
            Assert.That(read.Vectors.Keys, Is.EquivalentTo([0, 2]));
            Assert.That(read.Vectors[0], Is.EqualTo([3f, 4]));
            Assert.That(read.Vectors[2], Is.EqualTo([7f, 8]), "the word itself");
        }
    }

    [Test]
    public void A_table_goes_through_a_file_with_the_same_bits()
    {
        using var model = new Model();
        LookupParameter table = model.AddLookupParameters(4, [3], name: "E");
        table.SetRow(1, [float.Epsilon, -0f, float.MaxValue]);
        table.SetRow(2, [1, 16777216, -0.1f]);
        foreach (string word in (string[])["a", "b", "ü"])
            _words.Convert(word);
        PretrainedEmbeddings.Save(In("a.txt"), _words, table);
        using var stream = new MemoryStream();
        PretrainedEmbeddings.Save(stream, _words, table);
        var others = new Dict();
        others.Convert("ü");
        PretrainedEmbeddings read = PretrainedEmbeddings.Load(In("a.txt"), others);
        LookupParameter copy = model.AddLookupParameters(5, [3], Initializer.Constant(9));
        read.CopyTo(copy);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(stream.ToArray(), Is.EqualTo(File.ReadAllBytes(In("a.txt"))));
            Assert.That(Directory.GetFiles(_folder), Is.EqualTo([In("a.txt")]));
            Assert.That(File.ReadAllLines(In("a.txt"))[2], Is.EqualTo("ü 1 16777216 -0.1"));
            Assert.That(others.Words, Is.EqualTo(["ü", "a", "b"]));
            Assert.That(Bits(copy.Row(0)), Is.EqualTo(Bits(table.Row(2))));
            Assert.That(Bits(copy.Row(1)), Is.EqualTo(Bits(table.Row(0))));
            Assert.That(Bits(copy.Row(2)), Is.EqualTo(Bits(table.Row(1))));
            Assert.That(copy.Row(3).ToArray(), Is.All.EqualTo(9), "words without vectors stay");
        }

        static uint[] Bits(ReadOnlySpan<float> values) =>
            [.. values.ToArray().Select(BitConverter.SingleToUInt32Bits)];
    }

    [Test]
    public void A_byte_order_mark_is_no_part_of_the_first_word()
    {
        Load("\ufeffcat 1 2\n\ufeffdog 3 4\n");
        Assert.That(_words.Words, Is.EqualTo(["cat", "\ufeffdog"]));
        Assert.That(Load("\ufeff1 2\ncat 1 2\n", hasHeader: true).Size, Is.EqualTo(2));
        File.WriteAllBytes(In("a.txt"), [0xff, 0xfe, .. Encoding.Unicode.GetBytes("cat 1\n")]);
        Assert.That(
            () => PretrainedEmbeddings.Load(In("a.txt"), _words),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("UTF-8"));
    }

    [Test]
    public void A_first_word_that_begins_like_one_is_kept()
    {
        using var model = new Model();
        LookupParameter table = model.AddLookupParameters(2, [1]);
        _words.Convert("\ufeffcat");
        _words.Convert("cat");
        PretrainedEmbeddings.Save(In("a.txt"), _words, table);
        var others = new Dict();
        PretrainedEmbeddings read = PretrainedEmbeddings.Load(In("a.txt"), others);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(others.Words, Is.EqualTo(_words.Words));
            Assert.That(read.Vectors[0], Is.EqualTo(table.Row(0).ToArray()));
        }
    }

    [Test]
    public void Copied_rows_are_what_a_graph_looks_up()
    {
        using var model = new Model();
        using var graph = new ComputationGraph();
        LookupParameter table = model.AddLookupParameters(2, [2]);
        Load("cat 1 2\ndog 3 4\n").CopyTo(table);
        Assert.That(graph.Lookup(table, _words.Convert("dog")).ToArray(), Is.EqualTo([3f, 4]));
    }

    [TestCase("", "line 1")]
    [TestCase("cat 1 2\ndog 1\n", "line 2: there are 1 numbers after the word, expected 2")]
    [TestCase("cat 1 2\ndog 1 2 3\n", "line 2")]
    [TestCase("cat 1 2\n\ndog 1 2\n", "line 2")]
    [TestCase("cat\n", "line 1")]
    [TestCase("cat 1 2\ndog 1 x\n", "line 2: x is no finite number")]
    [TestCase("cat 1 nan\n", "line 1")]
    [TestCase("cat 1 1e99\n", "line 1: 1e99")]
    [TestCase("cat 1,5 2\n", "line 1: 1,5")]
    [TestCase("cat 1 2\n. . . 1\n", "line 2: . is no finite number")]
    [TestCase("cat 1 2\n. . 3 1 2\n", "line 2: there are 4 numbers after the word, expected 2")]
    [TestCase("cat 1 2\n. . x 2\n", "line 2: x is no finite number")]
    [TestCase(". . . 1 2\ncat 1 2\n", "line 1: . is no finite number")]
    [TestCase("2 3\ncat 1 2 3\ndog 4 5 6\n", "line 2: there are 3 numbers")]
    public void A_damaged_file_is_an_error(string text, string message) => Assert.That(
        () => Load(text), Throws.TypeOf<InvalidDataException>().With.Message.Contains($"a.txt, {message}"));

    [TestCase("", "line 1")]
    [TestCase("cat 1\ndog 2\n", "line 1: the header")]
    [TestCase("0 2\n", "line 1: the header")]
    [TestCase("1 2 3\ncat 1 2\n", "line 1: the header")]
    [TestCase("3 2\ncat 1 2\ndog 1 2\n", "line 1: the header says that 3 words follow, and 2 do")]
    [TestCase("2 2\ncat 1 2\ndog 1\n", "line 3")]
    [TestCase("1 2\n", "line 1: there are no vectors")]
    public void A_wrong_header_is_an_error(string text, string message) => Assert.That(
        () => Load(text, hasHeader: true),
        Throws.TypeOf<InvalidDataException>().With.Message.Contains($"a.txt, {message}"));

    [Test]
    public void The_last_line_of_a_word_counts()
    {
        PretrainedEmbeddings read = Load("3 1\ncat 1\ndog 2\ncat 3\n", hasHeader: true);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_words.Words, Is.EqualTo(["cat", "dog"]));
            Assert.That(read.Vectors[0], Is.EqualTo([3f]));
            Assert.That(read.Vectors[1], Is.EqualTo([2f]));
            _words.Freeze();
            Assert.That(Load("owl 1\ncat 2\nowl 3\n").Vectors.Keys, Is.EqualTo([0]), "words that are passed over");
        }
    }

    [Test]
    public void A_word_may_have_blanks_in_it()
    {
        PretrainedEmbeddings read = Load("cat 1 2\n. . . 3 4\nat  name@domain.com\t5 6\n");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(_words.Words, Is.EqualTo(["cat", ". . .", "at name@domain.com"]));
            Assert.That(read.Vectors[1], Is.EqualTo([3f, 4]));
            Assert.That(read.Vectors[2], Is.EqualTo([5f, 6]));
            Assert.That(Load("1 2\n. . 7 8\n", hasHeader: true).Vectors[_words.Convert(". .")], Is.EqualTo([7f, 8]));
        }
    }

    [Test]
    public void What_is_not_utf8_is_an_error()
    {
        File.WriteAllBytes(In("a.txt"), [.. "cat 1\n"u8, 0xff, .. " 2\n"u8]);
        Assert.That(
            () => PretrainedEmbeddings.Load(In("a.txt"), _words),
            Throws.TypeOf<InvalidDataException>().With.Message.Contains("UTF-8").And.Message.Contains("line "));
    }

    [Test]
    public void A_stream_is_read_to_its_end_and_stays_open()
    {
        using var stream = new MemoryStream(Encoding.UTF8.GetBytes("cat 1\n"));
        PretrainedEmbeddings read = PretrainedEmbeddings.Load(stream, _words);
        using var damaged = new MemoryStream(Encoding.UTF8.GetBytes("cat 1\ndog\n"));
        using (Assert.EnterMultipleScope())
        {
            Assert.That(read.Vectors[0], Is.EqualTo([1f]));
            Assert.That(stream.CanRead, Is.True);
            Assert.That(
                () => PretrainedEmbeddings.Load(damaged, _words),
                Throws.TypeOf<InvalidDataException>().With.Message.StartsWith("Line 2: "));
        }
    }

    [Test]
    public void Wrong_use_is_an_error()
    {
        using var model = new Model();
        LookupParameter table = model.AddLookupParameters(2, [2]), matrices = model.AddLookupParameters(2, [2, 2]);
        LookupParameter small = model.AddLookupParameters(1, [2]), wide = model.AddLookupParameters(2, [3]);
        PretrainedEmbeddings read = Load("cat 1 2\ndog 3 4\n");
        float[] before = small.Values.ToArray();
        var odd = new Dict();
        odd.Convert("two words");
        using (Assert.EnterMultipleScope())
        {
            Assert.That(() => read.CopyTo(small), Throws.ArgumentException.With.Message.Contains("word 1"));
            Assert.That(small.Values.ToArray(), Is.EqualTo(before), "no row is changed");
            Assert.That(() => read.CopyTo(wide), Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => read.CopyTo(matrices), Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => read.CopyTo(null!), Throws.ArgumentNullException);
            Assert.That(
                () => PretrainedEmbeddings.Save(In("b"), _words, matrices), Throws.TypeOf<ShapeMismatchException>());
            Assert.That(() => PretrainedEmbeddings.Save(In("b"), _words, small), Throws.ArgumentException);
            Assert.That(() => PretrainedEmbeddings.Save(In("b"), odd, table), Throws.InvalidOperationException);
            Assert.That(
                () => PretrainedEmbeddings.Save(In("no/b"), _words, table),
                Throws.TypeOf<DirectoryNotFoundException>());
            Assert.That(() => PretrainedEmbeddings.Save("", _words, table), Throws.ArgumentException);
            Assert.That(() => PretrainedEmbeddings.Save(In("b"), null!, table), Throws.ArgumentNullException);
            Assert.That(() => PretrainedEmbeddings.Save(In("b"), _words, null!), Throws.ArgumentNullException);
            Assert.That(
                () => PretrainedEmbeddings.Load(In("missing"), _words), Throws.TypeOf<FileNotFoundException>());
            Assert.That(() => PretrainedEmbeddings.Load(In("a.txt"), null!), Throws.ArgumentNullException);
            Assert.That(() => PretrainedEmbeddings.Load((Stream)null!, _words), Throws.ArgumentNullException);
        }
    }

    [Test]
    public void A_save_that_fails_leaves_the_old_file()
    {
        using var model = new Model();
        LookupParameter table = model.AddLookupParameters(2, [1], Initializer.Constant(1));
        _words.Convert("a");
        _words.Convert("b");
        PretrainedEmbeddings.Save(In("a.txt"), _words, table);
        byte[] before = File.ReadAllBytes(In("a.txt"));
        table.SetRow(1, [float.NaN]);
        using (Assert.EnterMultipleScope())
        {
            Assert.That(
                () => PretrainedEmbeddings.Save(In("a.txt"), _words, table),
                Throws.ArgumentException.With.Message.Contains("Row 1"));
            _words.Convert("\ud800");
            Assert.That(
                () => PretrainedEmbeddings.Save(
                    In("a.txt"), _words, model.AddLookupParameters(3, [1], Initializer.Constant(1))),
                Throws.InvalidOperationException);
            Assert.That(File.ReadAllBytes(In("a.txt")), Is.EqualTo(before));
            Assert.That(Directory.GetFiles(_folder), Is.EqualTo([In("a.txt")]));
        }
    }

    private PretrainedEmbeddings Load(string text, bool hasHeader = false)
    {
        File.WriteAllText(In("a.txt"), text);
        return PretrainedEmbeddings.Load(In("a.txt"), _words, hasHeader);
    }
}
