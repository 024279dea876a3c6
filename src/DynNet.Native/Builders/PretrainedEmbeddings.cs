using System.Collections.ObjectModel;
using System.Globalization;
using System.Text;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// Vectors of words that were trained elsewhere, in the text format that DyNet, GloVe, word2vec and fastText share: a
/// line for each word, with the word and its numbers, blanks between them. DyNet's <c>read_pretrained_embeddings</c>
/// and <c>save_pretrained_embeddings</c>.
/// </summary>
/// <remarks>What was read does not change, so any number of threads may use it at once.</remarks>
public sealed class PretrainedEmbeddings
{
    private static readonly char[] s_blanks = [' ', '\t'];

    // What ends a word in the file, or cannot be in one.
    private static readonly char[] s_notInWords = [' ', '\t', '\n', '\r'];

    private PretrainedEmbeddings(int size, Dictionary<int, float[]> vectors)
    {
        Size = size;
        Vectors = vectors.ToDictionary(pair => pair.Key, pair => Array.AsReadOnly(pair.Value)).AsReadOnly();
    }

    /// <summary>How many numbers each word has.</summary>
    public int Size { get; }

    /// <summary>The numbers of each word, by its number in the vocabulary.</summary>
    public ReadOnlyDictionary<int, ReadOnlyCollection<float>> Vectors { get; }

    /// <summary>Reads a file.</summary>
    /// <param name="path">The file, in UTF-8.</param>
    /// <param name="words">
    /// The vocabulary, which says the number of each word; it gets those that it does not have. If it is frozen, words
    /// that it does not have are passed over, whatever word stands for unknown ones.
    /// </param>
    /// <param name="hasHeader">
    /// Whether the first line says how many words follow and how many numbers each has, as in files of word2vec and
    /// fastText.
    /// </param>
    /// <returns>The vectors of the words that the vocabulary has.</returns>
    /// <remarks>
    /// Must not run beside anything else that uses the vocabulary. If it fails, the vocabulary may have got words of
    /// the file. A byte order mark at the very beginning is no part of the first word. The numbers are the last of a
    /// line, and what stands before them is the word, blanks in it included, as in <c>. . .</c> of GloVe's; a word that
    /// has blanks must not end with a number, and without a header it must not be the first. Of a word with several
    /// lines the last counts, as in DyNet.
    /// </remarks>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The operating system failed to read it.</exception>
    /// <exception cref="InvalidDataException">
    /// There are no vectors, or a line has no word, no number, more or fewer numbers than the first, or something among
    /// them that is not a finite number; or the header is none or wrong; or it is not UTF-8. The message names the
    /// line.
    /// </exception>
    public static PretrainedEmbeddings Load(string path, Dict words, bool hasHeader = false)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(words);
        using FileStream stream = File.OpenRead(path);
        return Read(stream, words, hasHeader, $"{path}, line ");
    }

    /// <summary>Reads a stream to its end.</summary>
    /// <param name="stream">The stream, in UTF-8; it stays open.</param>
    /// <param name="words">The vocabulary, as for <see cref="Load(string, Dict, bool)"/>.</param>
    /// <param name="hasHeader">Whether there is a header, as for <see cref="Load(string, Dict, bool)"/>.</param>
    /// <returns>The vectors of the words that the vocabulary has.</returns>
    /// <remarks>As for <see cref="Load(string, Dict, bool)"/>. What the stream throws is passed on.</remarks>
    /// <exception cref="InvalidDataException">As for <see cref="Load(string, Dict, bool)"/>.</exception>
    public static PretrainedEmbeddings Load(Stream stream, Dict words, bool hasHeader = false)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(words);
        return Read(stream, words, hasHeader, "Line ");
    }

    /// <summary>Writes the rows of a table that are those of the words of a vocabulary, without a header.</summary>
    /// <param name="path">The file, replaced if there is one. It appears whole or not at all.</param>
    /// <param name="words">The vocabulary: the number of a word is its row.</param>
    /// <param name="table">The table, with rows {n}. Rows beyond the words are left out.</param>
    /// <remarks>
    /// Numbers are written so that reading gives the same bits. There is no byte order mark, unless the first word begins
    /// with U+FEFF, which would be taken for one. Must not run beside anything that writes the model or the vocabulary.
    /// </remarks>
    /// <exception cref="ArgumentException">The table has fewer rows than there are words, or a value is not finite.
    /// </exception>
    /// <exception cref="InvalidOperationException">A word is empty, has white space, or is no valid text.</exception>
    /// <exception cref="ShapeMismatchException">The rows of the table are no vectors.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The file, or its folder, may not be written.</exception>
    /// <exception cref="IOException">The operating system failed to write the file.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public static void Save(string path, Dict words, LookupParameter table)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(table);
        WholeFile.Write(path, stream => Save(stream, words, table));
    }

    /// <summary>Writes the rows of a table that are those of the words of a vocabulary, without a header.</summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <param name="words">The vocabulary: the number of a word is its row.</param>
    /// <param name="table">The table, with rows {n}. Rows beyond the words are left out.</param>
    /// <remarks>
    /// As for <see cref="Save(string, Dict, LookupParameter)"/>. What the stream throws is passed on; what has been
    /// written by then is in the stream.
    /// </remarks>
    /// <exception cref="ArgumentException">The table has fewer rows than there are words, or a value is not finite.
    /// </exception>
    /// <exception cref="InvalidOperationException">A word is empty, has white space, or is no valid text.</exception>
    /// <exception cref="ShapeMismatchException">The rows of the table are no vectors.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public static void Save(Stream stream, Dict words, LookupParameter table)
    {
        ArgumentNullException.ThrowIfNull(stream);
        ArgumentNullException.ThrowIfNull(words);
        ArgumentNullException.ThrowIfNull(table);
        CheckVectors(table);
        CheckRows(words, table);
        using var writer = new StreamWriter(stream, Utf8Lines.Encoding, leaveOpen: true) { NewLine = "\n" };
        if (words.Count > 0)
            writer.Write(Utf8Lines.Before(words.Convert(0)));
        for (int row = 0; row < words.Count; row++)
        {
            writer.Write(words.Convert(row));
            foreach (float value in table.Row(row))
                writer.Write(string.Create(CultureInfo.InvariantCulture, $" {value:R}"));
            writer.WriteLine();
        }
        // Spans do not keep what they show.
        GC.KeepAlive(table);
    }

    /// <summary>Gives the rows of a table the vectors of their words; other rows stay.</summary>
    /// <param name="table">A table with rows {<see cref="Size"/>}: the number of a word is its row.</param>
    /// <remarks>Must not run beside anything else that uses the model.</remarks>
    /// <exception cref="ArgumentException">The table has too few rows. No row is changed.</exception>
    /// <exception cref="ShapeMismatchException">The rows are of another size.</exception>
    /// <exception cref="ObjectDisposedException">The model is disposed.</exception>
    public void CopyTo(LookupParameter table)
    {
        ArgumentNullException.ThrowIfNull(table);
        CheckVectors(table);
        if (table.Dim.Rows != Size)
            throw new ShapeMismatchException($"PretrainedEmbeddings: rows of {table} cannot take {Size} numbers.");
        if (Vectors.Count > 0 && Vectors.Keys.Max() is var last && last >= table.Rows)
            throw new ArgumentException($"The table {table} has no row for word {last}.", nameof(table));
        foreach ((int word, ReadOnlyCollection<float> vector) in Vectors)
            table.SetRow(word, [.. vector]);
    }

    private static void CheckVectors(LookupParameter table)
    {
        if (table.Dim.Rows != table.Dim.Size)
            throw new ShapeMismatchException($"PretrainedEmbeddings: the rows of {table} are no vectors.");
    }

    // Before anything is written.
    private static void CheckRows(Dict words, LookupParameter table)
    {
        if (table.Rows < words.Count)
            throw new ArgumentException($"The table {table} has no rows for {words.Count} words.", nameof(table));
        for (int row = 0; row < words.Count; row++)
        {
            string word = words.Convert(row);
            if (word.Length == 0 || word.IndexOfAny(s_notInWords) >= 0)
                throw new InvalidOperationException($"Word {row} is empty or has white space.");
            try
            {
                _ = Utf8Lines.Encoding.GetByteCount(word);
            }
            catch (EncoderFallbackException e)
            {
                throw new InvalidOperationException(
                    $"Word {row} has half a surrogate pair, which UTF-8 cannot write.", e);
            }
            foreach (float value in table.Row(row))
            {
                if (!float.IsFinite(value))
                    throw new ArgumentException($"Row {row} of {table} has a {value}.", nameof(table));
            }
        }
    }

    private static PretrainedEmbeddings Read(Stream stream, Dict words, bool hasHeader, string place)
    {
        var vectors = new Dictionary<int, float[]>();
        int number = 0, size = 0, announced = 0;
        foreach (string line in Utf8Lines.Read(stream, place))
        {
            number++;
            string[] parts = line.Split(s_blanks, StringSplitOptions.RemoveEmptyEntries);
            if (number == 1 && hasHeader)
                (announced, size) = Header(parts);
            else
                Add(parts);
        }
        int count = number - (hasHeader ? 1 : 0);
        if (count < 1)
            throw Damaged(Math.Max(number, 1), "there are no vectors");
        return !hasHeader || count == announced
            ? new PretrainedEmbeddings(size, vectors)
            : throw Damaged(1, $"the header says that {announced} words follow, and {count} do");

        (int Count, int Size) Header(string[] parts) =>
            parts is [var first, var second] && Whole(first) is > 0 and var all && Whole(second) is > 0 and var each
                ? (all, each)
                : throw Damaged(1, "the header must be two whole numbers, those of words and of numbers for each");

        void Add(string[] parts)
        {
            if (parts.Length < 2)
                throw Damaged(number, "a word and at least one number are needed");
            size = size == 0 ? parts.Length - 1 : size;
            int first = parts.Length - size;
            // A number before the vector is one too many, and no part of a word.
            if (first < 1 || (first > 1 && IsNumber(parts[first - 1], out _)))
                throw Damaged(number, $"there are {parts.Length - 1} numbers after the word, expected {size}");
            float[] vector = Array.ConvertAll(parts[first..], Number);
            string word = string.Join(' ', parts[..first]);
            if (!words.IsFrozen || words.Contains(word))
                vectors[words.Convert(word)] = vector;
        }

        float Number(string text) =>
            IsNumber(text, out float value) ? value : throw Damaged(number, $"{text} is no finite number");

        static bool IsNumber(string text, out float value) =>
            float.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out value) && float.IsFinite(value);

        InvalidDataException Damaged(int line, string what) =>
            new(string.Create(CultureInfo.InvariantCulture, $"{place}{line}: {what}."));
    }

    private static int Whole(string text) =>
        int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int value) ? value : 0;
}
