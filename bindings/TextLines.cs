namespace DynNet.Native.Bindings;

/// <summary>Breaks text and argument lists into lines, as the formatters of both languages would.</summary>
internal static class TextLines
{
    public const int Width = 120;

    /// <summary>Stands for a space that no line is broken at.</summary>
    public const char Glue = '\u0001';

    /// <summary>Words on lines of at most a width.</summary>
    public static IEnumerable<string> Fill(string text, int width)
    {
        string line = "";
        foreach (string word in text.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                yield return line.Replace(Glue, ' ');
                line = "";
            }
            line = line.Length == 0 ? word : $"{line} {word}";
        }
        if (line.Length > 0)
            yield return line.Replace(Glue, ' ');
    }

    /// <summary>A C++ parameter list: further lines begin under the first parameter.</summary>
    public static IReadOnlyList<string> Aligned(string head, IEnumerable<string> items, string tail)
    {
        string list = string.Join(", ", items);
        if (head.Length + list.Length + tail.Length <= Width)
            return [head + list + tail];
        string indent = new(' ', head.Length);
        IEnumerable<string> lines = Fill(Whole(items) + tail.Replace(' ', Glue), Width - head.Length);
        return [.. lines.Select((line, i) => (i == 0 ? head : indent) + line)];
    }

    /// <summary>A C# argument list: one line, or the arguments on lines of their own, once indented.</summary>
    public static IReadOnlyList<string> Hanging(string head, IEnumerable<string> items, string tail, int indent)
    {
        string list = string.Join(", ", items);
        if (indent + head.Length + list.Length + tail.Length <= Width)
            return [head + list + tail];
        IEnumerable<string> lines = Fill(Whole(items) + tail.Replace(' ', Glue), Width - indent - 4);
        return [head, .. lines.Select(line => "    " + line)];
    }

    /// <summary>Items that stay whole, a comma with the word before it.</summary>
    private static string Whole(IEnumerable<string> items) =>
        string.Join(", ", items.Select(i => i.Replace(' ', Glue)));
}
