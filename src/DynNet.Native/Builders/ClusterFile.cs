using System.Globalization;

namespace DynNet.Native;

/// <summary>The lines of DyNet's files that say which cluster a word is in.</summary>
internal static class ClusterFile
{
    // Deeper trees would be walked over the end of the stack; a balanced one of this depth has more words than there
    // are.
    private const int MostSymbols = 1000;

    private static readonly char[] s_blanks = [' ', '\t'];

    /// <summary>Reads lines of a cluster, blanks, a word, and whatever follows (its frequency).</summary>
    internal static IEnumerable<(string Cluster, int Word)> ReadClasses(string path, Dict words)
    {
        foreach ((int number, string line) in Lines(path))
        {
            string[] parts = line.Split(s_blanks, StringSplitOptions.RemoveEmptyEntries);
            if (parts.Length < 2)
                throw Damaged(path, number, "a cluster and a word are needed");
            yield return (parts[0], Convert(words, parts[1], path, number));
        }
    }

    /// <summary>
    /// Reads lines of a path, the symbols of which a blank separates, a tab, a word, and whatever follows (its
    /// frequency).
    /// </summary>
    internal static IEnumerable<(string[] Path, int Word)> ReadPaths(string path, Dict words)
    {
        foreach ((int number, string line) in Lines(path))
        {
            string[] halves = line.Trim(s_blanks).Split('\t', 2);
            string[] symbols = halves[0].Split(' ', StringSplitOptions.RemoveEmptyEntries);
            string? word = halves.Length < 2
                ? null
                : halves[1].Split(s_blanks, StringSplitOptions.RemoveEmptyEntries).FirstOrDefault();
            if (symbols.Length == 0 || word is null)
                throw Damaged(path, number, "a path, a tab and a word are needed");
            if (symbols.Length > MostSymbols)
                throw Damaged(path, number, $"a path of {symbols.Length} symbols; {MostSymbols} are possible");
            yield return (symbols, Convert(words, word, path, number));
        }
    }

    internal static InvalidDataException Damaged(string path, int line, string what) =>
        new(string.Create(CultureInfo.InvariantCulture, $"{path}, line {line}: {what}."));

    private static IEnumerable<(int Number, string Line)> Lines(string path)
    {
        int number = 0;
        using FileStream stream = File.OpenRead(path);
        foreach (string line in Utf8Lines.Read(stream, $"{path}, line "))
            yield return (++number, line);
        if (number == 0)
            throw Damaged(path, 1, "the file is empty");
    }

    // A word that stands for unknown ones cannot stand for several of the file's: each has a place of its own.
    private static int Convert(Dict words, string word, string path, int line) =>
        words.IsFrozen && !words.Contains(word)
            ? throw Damaged(path, line, $"the frozen vocabulary of {words.Count} words does not have {word}")
            : words.Convert(word);
}
