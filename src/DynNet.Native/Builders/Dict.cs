using System.Diagnostics.CodeAnalysis;
using System.Text;
using DynNet.Native.Interop;

namespace DynNet.Native;

/// <summary>
/// A vocabulary: words and their numbers, 0 and up in the order in which words were first seen. DyNet's <c>Dict</c>.
/// </summary>
/// <remarks>Any number of threads may read it at once; a word that is new writes it, unless it is frozen.</remarks>
[SuppressMessage("Naming", "CA1711", Justification = "DyNet's word.")]
public sealed class Dict
{
    // What separates words: other white space, such as a space that does not break, is a part of them, as in DyNet.
    private static readonly char[] s_blanks = [' ', '\t', '\n', '\v', '\f', '\r'];

    private readonly List<string> _words = [];
    private readonly Dictionary<string, int> _ids = new(StringComparer.Ordinal);

    /// <summary>The number of words.</summary>
    public int Count => _words.Count;

    /// <summary>The words; each one's place is its number.</summary>
    public IReadOnlyList<string> Words => _words.AsReadOnly();

    /// <summary>Whether no word is added any more.</summary>
    public bool IsFrozen { get; private set; }

    /// <summary>The number that unknown words get once it is frozen; -1 if they are an error.</summary>
    public int UnknownId { get; private set; } = -1;

    /// <summary>Reads a file that <see cref="Save(string)"/> wrote, or any of one word a line in UTF-8.</summary>
    /// <param name="path">The file.</param>
    /// <returns>A vocabulary with these words; it is not frozen.</returns>
    /// <remarks>A byte order mark at the very beginning is no part of the first word.</remarks>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The operating system failed to read it.</exception>
    /// <exception cref="InvalidDataException">A line is empty or there twice, or it is not UTF-8.</exception>
    public static Dict Load(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        using FileStream stream = File.OpenRead(path);
        return Load(stream);
    }

    /// <summary>
    /// Reads a file as <see cref="Load(string)"/> does into a vocabulary that is frozen: that of a trained model, whose
    /// tables have rows for these words and no others.
    /// </summary>
    /// <param name="path">The file.</param>
    /// <param name="unknown">The word that stands for unknown ones, such as <c>&lt;unk></c>.</param>
    /// <returns>A frozen vocabulary with these words.</returns>
    /// <remarks>A byte order mark at the very beginning is no part of the first word.</remarks>
    /// <exception cref="FileNotFoundException">There is no such file.</exception>
    /// <exception cref="UnauthorizedAccessException">The file may not be read.</exception>
    /// <exception cref="IOException">The operating system failed to read it.</exception>
    /// <exception cref="InvalidDataException">
    /// A line is empty or there twice, or it is not UTF-8; or there is no line for unknown words.
    /// </exception>
    public static Dict Load(string path, string unknown)
    {
        ArgumentNullException.ThrowIfNull(unknown);
        return Load(path).WithUnknown(unknown);
    }

    /// <summary>
    /// Reads a stream as <see cref="Load(Stream)"/> does into a vocabulary that is frozen, as <see
    /// cref="Load(string, string)"/> does.
    /// </summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <param name="unknown">The word that stands for unknown ones, such as <c>&lt;unk></c>.</param>
    /// <returns>A frozen vocabulary with these words.</returns>
    /// <remarks>A byte order mark at the very beginning is no part of the first word.</remarks>
    /// <exception cref="InvalidDataException">
    /// A line is empty or there twice, or it is not UTF-8; or there is no line for unknown words.
    /// </exception>
    public static Dict Load(Stream stream, string unknown)
    {
        ArgumentNullException.ThrowIfNull(unknown);
        return Load(stream).WithUnknown(unknown);
    }

    /// <summary>Reads one word a line in UTF-8, to the end.</summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <returns>A vocabulary with these words; it is not frozen.</returns>
    /// <remarks>A byte order mark at the very beginning is no part of the first word.</remarks>
    /// <exception cref="InvalidDataException">A line is empty or there twice, or it is not UTF-8.</exception>
    public static Dict Load(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        var dict = new Dict();
        foreach (string line in Utf8Lines.Read(stream, "Line "))
        {
            if (line.Length == 0 || !dict._ids.TryAdd(line, dict.Count))
            {
                string what = line.Length == 0 ? "is empty" : $"has {line}, which is there already";
                throw new InvalidDataException($"Line {dict.Count + 1} {what}.");
            }
            dict._words.Add(line);
        }
        return dict;
    }

    /// <summary>The number of a word. One that is new is added, unless the vocabulary is frozen.</summary>
    /// <param name="word">The word.</param>
    /// <returns>Its number; if it is frozen and does not have the word, <see cref="UnknownId"/>.</returns>
    /// <exception cref="KeyNotFoundException">
    /// It is frozen and does not have the word, and no word stands for unknown ones.
    /// </exception>
    public int Convert(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        if (_ids.TryGetValue(word, out int id))
            return id;
        if (!IsFrozen)
            return Add(word);
        return UnknownId >= 0
            ? UnknownId
            : throw new KeyNotFoundException($"The frozen vocabulary of {Count} words does not have {word}.");
    }

    /// <summary>The word of a number.</summary>
    /// <param name="id">0 to <see cref="Count"/> - 1.</param>
    /// <returns>The word.</returns>
    /// <exception cref="ArgumentOutOfRangeException">No word has it.</exception>
    public string Convert(int id) => (uint)id < (uint)Count
        ? _words[id]
        : throw new ArgumentOutOfRangeException(nameof(id), id, $"The vocabulary has {Count} words.");

    /// <summary>Whether it has a word.</summary>
    /// <param name="word">The word.</param>
    /// <returns>Whether it does.</returns>
    public bool Contains(string word) => _ids.ContainsKey(word);

    /// <summary>Ends the adding of words: from now on unknown ones are an error, or <see cref="SetUnknown"/>.</summary>
    public void Freeze() => IsFrozen = true;

    /// <summary>Says which word stands for unknown ones. It is added if it is new. DyNet's <c>set_unk</c>.</summary>
    /// <param name="word">The word, such as <c>&lt;unk></c>.</param>
    /// <exception cref="InvalidOperationException">
    /// The vocabulary is not frozen yet, or there is such a word already.
    /// </exception>
    public void SetUnknown(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        if (!IsFrozen)
            throw new InvalidOperationException("Freeze the vocabulary first: until then no word is unknown.");
        if (UnknownId >= 0)
        {
            throw new InvalidOperationException(
                $"Unknown words are {Convert(UnknownId)} already: that can be said only once.");
        }
        UnknownId = _ids.TryGetValue(word, out int id) ? id : Add(word);
    }

    /// <summary>
    /// Removes all words, and with them the one for unknown words. A frozen vocabulary stays frozen.
    /// </summary>
    public void Clear()
    {
        _words.Clear();
        _ids.Clear();
        UnknownId = -1;
    }

    /// <summary>The numbers of the words of a sentence, which white space separates.</summary>
    /// <param name="line">The sentence.</param>
    /// <returns>A number for each word.</returns>
    /// <exception cref="KeyNotFoundException">As for <see cref="Convert(string)"/>.</exception>
    public int[] ReadSentence(string line)
    {
        ArgumentNullException.ThrowIfNull(line);
        return [.. line.Split(s_blanks, StringSplitOptions.RemoveEmptyEntries).Select(Convert)];
    }

    /// <summary>
    /// The numbers of the words of two sentences in one line, with <c>|||</c> between them: those before it of this
    /// vocabulary, those after it of another.
    /// </summary>
    /// <param name="line">The sentences.</param>
    /// <param name="target">The vocabulary of the second; may be this one.</param>
    /// <returns>The numbers of each. Without a separator the second is empty.</returns>
    /// <exception cref="KeyNotFoundException">As for <see cref="Convert(string)"/>.</exception>
    public (int[] Source, int[] Target) ReadSentencePair(string line, Dict target)
    {
        ArgumentNullException.ThrowIfNull(line);
        ArgumentNullException.ThrowIfNull(target);
        string[] words = line.Split(s_blanks, StringSplitOptions.RemoveEmptyEntries);
        int separator = Array.IndexOf(words, "|||");
        int end = separator < 0 ? words.Length : separator;
        return (
            [.. words.Take(end).Select(Convert)],
            [.. words.Skip(end).Where(word => word != "|||").Select(target.Convert)]);
    }

    /// <summary>Writes one word a line, in UTF-8.</summary>
    /// <param name="path">The file, replaced if there is one.</param>
    /// <remarks>
    /// Only the words are written, in the order of their numbers: not whether it is frozen, nor which word stands for
    /// unknown ones. <see cref="Load(string, string)"/> says both again. There is no byte order mark, unless the first
    /// word begins with U+FEFF, which would be taken for one.
    /// </remarks>
    /// <exception cref="InvalidOperationException">A word is empty, has a line break, or is no valid text.</exception>
    /// <exception cref="DirectoryNotFoundException">The folder does not exist.</exception>
    /// <exception cref="UnauthorizedAccessException">The file, or its folder, may not be written.</exception>
    /// <exception cref="IOException">The operating system failed to write the file.</exception>
    public void Save(string path)
    {
        ArgumentException.ThrowIfNullOrEmpty(path);
        byte[] text = Text();
        WholeFile.Write(path, stream => stream.Write(text));
    }

    /// <summary>Writes one word a line, in UTF-8.</summary>
    /// <param name="stream">The stream; it stays open.</param>
    /// <remarks>As for <see cref="Save(string)"/>.</remarks>
    /// <exception cref="InvalidOperationException">A word is empty, has a line break, or is no valid text.</exception>
    public void Save(Stream stream)
    {
        ArgumentNullException.ThrowIfNull(stream);
        stream.Write(Text());
    }

    /// <summary>Freezes a vocabulary that was read.</summary>
    /// <exception cref="InvalidDataException">It does not have the word for unknown ones.</exception>
    private Dict WithUnknown(string word)
    {
        // Added now, it would have a number that no table was made for.
        if (!Contains(word))
            throw new InvalidDataException($"The vocabulary has no line for unknown words, {word}.");
        Freeze();
        SetUnknown(word);
        return this;
    }

    private int Add(string word)
    {
        _words.Add(word);
        _ids.Add(word, Count - 1);
        return Count - 1;
    }

    // As a whole before anything is written, so that a word that cannot be leaves an old file as it was.
    private byte[] Text()
    {
        var text = new StringBuilder(Count > 0 ? Utf8Lines.Before(_words[0]) : "");
        foreach (string word in _words)
        {
            if (word.Length == 0 || word.AsSpan().IndexOfAny('\n', '\r') >= 0)
                throw new InvalidOperationException($"Word {_ids[word]} is empty or has a line break.");
            text.Append(word).Append('\n');
        }
        try
        {
            return Utf8Lines.Encoding.GetBytes(text.ToString());
        }
        catch (EncoderFallbackException e)
        {
            throw new InvalidOperationException("A word has half a surrogate pair, which UTF-8 cannot write.", e);
        }
    }
}
