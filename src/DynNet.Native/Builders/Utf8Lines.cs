using System.Text;

namespace DynNet.Native;

/// <summary>Text files in UTF-8, line by line.</summary>
internal static class Utf8Lines
{
    /// <summary>UTF-8 that knows of no byte order mark, and takes nothing for it that is not.</summary>
    internal static readonly UTF8Encoding Encoding = new(false, throwOnInvalidBytes: true);

    private const char Mark = '\ufeff';

    /// <summary>
    /// The lines of a stream, which stays open. A byte order mark at its very beginning, as other programs write it, is
    /// no part of the first.
    /// </summary>
    /// <param name="stream">The stream.</param>
    /// <param name="place">What comes before the number of a line in the message of an error.</param>
    /// <exception cref="InvalidDataException">Something is not UTF-8.</exception>
    internal static IEnumerable<string> Read(Stream stream, string place)
    {
        using var reader = new StreamReader(
            stream, Encoding, detectEncodingFromByteOrderMarks: false, leaveOpen: true);
        for (int number = 1; Line(number) is { } line; number++)
            yield return line;

        string? Line(int number)
        {
            try
            {
                if (number == 1 && reader.Peek() == Mark)
                    reader.Read();
                return reader.ReadLine();
            }
            catch (DecoderFallbackException e)
            {
                throw new InvalidDataException($"{place}{number}: something from here on is not UTF-8.", e);
            }
        }
    }

    /// <summary>
    /// What goes before the first line of a file: a byte order mark if the line itself begins like one, which would be
    /// taken for it.
    /// </summary>
    internal static string Before(string firstLine) => firstLine.StartsWith(Mark) ? $"{Mark}" : "";
}
