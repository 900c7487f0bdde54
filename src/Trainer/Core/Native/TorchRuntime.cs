using System.Buffers.Binary;
using System.Reflection;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Loader;
using System.Security.Cryptography;
using System.Text;

namespace Cluster.Trainer.Core.Native;

/// <summary>
/// Finds and loads the native libraries under TorchSharp, before anything else touches them.
/// </summary>
/// <remarks>
/// <para><b>Which libtorch.</b> The folder in <c>LIBTORCH_DIR</c> (for example the <c>torch/lib</c> of a PyTorch wheel); else
/// the files beside the program (a publish); else the NuGet package folder that the build wrote into the runtime
/// configuration as <c>Cluster.LibTorchDirectory</c>.</para>
/// <para><b>Old systems.</b> TorchSharp's own library, libLibTorchSharp.so, was linked on a new system and asks for the symbol
/// version GLIBCXX_3.4.32, which the libstdc++ of Debian 12, Ubuntu 22.04 and RHEL 9 does not have: it does not load there.
/// The version carries one symbol only, the marker <c>ios_base_library_init</c>, and no relocation of the library uses it,
/// so nothing is missing in fact. ELF has a flag for exactly this: a needed version marked <i>weak</i> may be absent. When
/// the library fails to load, we write a copy with that one bit set and load the copy. The original is left as it is.</para>
/// <para><b>Environment.</b> OpenMP and glibc's malloc read their settings once, natively, when they start.
/// <c>Environment.SetEnvironmentVariable</c> does not reach native code on Unix, so <c>setenv</c> and <c>mallopt</c> are
/// called here. PASSIVE keeps idle OpenMP threads from spinning on cores that other trainers need, but sends them to sleep after
/// every parallel region, of which a step has hundreds; a spin of a thousand turns (some microseconds) before the sleep bridges
/// the gaps inside a step. The malloc settings keep freed activations in the process instead of giving the pages back and
/// faulting them in again every step. One math thread until a job asks for more: <c>set_num_threads</c> is for the thread that
/// calls it. Another takes the number over only with the first operation that libtorch itself shares out; MKL's products before
/// that would use every core of the machine, and their bits depend on it.</para>
/// </remarks>
internal static partial class TorchRuntime
{
    private const string TorchSharpLibrary = "LibTorchSharp";
    private const string MissingVersion = "GLIBCXX_3.4.32";

    /// <summary>The folder that libtorch was loaded from, or null when it came from beside the program.</summary>
    public static string? LibTorchDirectory { get; private set; }

#pragma warning disable CA2255 // A module initializer is the one place that runs before any use of torch in this assembly.
    [ModuleInitializer]
    internal static void Install()
#pragma warning restore CA2255
    {
        if (OperatingSystem.IsLinux())
        {
            if (Environment.GetEnvironmentVariable("OMP_WAIT_POLICY") is null) { SetDefault("GOMP_SPINCOUNT", "1000"); }
            SetDefault("OMP_WAIT_POLICY", "PASSIVE");
            SetDefault("OMP_NUM_THREADS", "1");
            SetDefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8"); // cuBLAS is deterministic only with a fixed workspace.
            _ = mallopt(M_MMAP_THRESHOLD, 1 << 30);
            _ = mallopt(M_TRIM_THRESHOLD, int.MaxValue);
            _ = mallopt(M_TOP_PAD, 64 << 20);
        }

        LibTorchDirectory = ChooseDirectory();
        AssemblyLoadContext.Default.ResolvingUnmanagedDll += Resolve;
        LoadLibTorch();
    }

    private static string? ChooseDirectory()
    {
        var chosen = Environment.GetEnvironmentVariable("LIBTORCH_DIR");
        if (!string.IsNullOrEmpty(chosen)) { return chosen; }
        if (File.Exists(Path.Combine(AppContext.BaseDirectory, FileName("torch_cpu")))) { return null; }
        return AppContext.GetData("Cluster.LibTorchDirectory") as string;
    }

    /// <summary>
    /// Loads the chosen libtorch by its full path, first of all: later requests by bare name then find it in the process,
    /// and a libtorch of the system (Debian's python3-torch installs an old one in the search path) is never taken for it.
    /// </summary>
    private static void LoadLibTorch()
    {
        var folder = LibTorchDirectory ?? AppContext.BaseDirectory;
        string[] libraries = ["c10", "torch_cpu", "c10_cuda", "torch_cuda", "torch"]; // Each needs only those before it.
        foreach (var path in libraries.Select(library => Path.Combine(folder, FileName(library))).Where(File.Exists))
        {
            NativeLibrary.Load(path);
        }
    }

    /// <summary>Called by the runtime when its own search found no library of that name.</summary>
    private static nint Resolve(Assembly assembly, string name)
    {
        if (name is "torch_cpu" or "torch_cuda" && LibTorchDirectory is not null)
        {
            // A CPU build has no torch_cuda; TorchSharp asks for it all the same.
            return NativeLibrary.TryLoad(Path.Combine(LibTorchDirectory, FileName(name)), out var handle) ? handle : 0;
        }

        if (name == TorchSharpLibrary && OperatingSystem.IsLinux() && FindTorchSharp() is { } original)
        {
            return NativeLibrary.Load(WeakCopy(original));
        }

        return 0;
    }

    private static string FileName(string library) =>
        OperatingSystem.IsWindows() ? $"{library}.dll" : OperatingSystem.IsMacOS() ? $"lib{library}.dylib" : $"lib{library}.so";

    private static string? FindTorchSharp()
    {
        var file = FileName(TorchSharpLibrary);
        string[] places =
        [
            Path.Combine(AppContext.BaseDirectory, file),
            Path.Combine(AppContext.BaseDirectory, "runtimes", "linux-x64", "native", file),
        ];
        return places.FirstOrDefault(File.Exists);
    }

    /// <summary>
    /// Writes the copy beside the user's other caches, named by the hash of the original, so that it is made once, survives a
    /// read-only program folder, and never outlives an upgrade. Several trainers may start at once: each writes its own
    /// temporary file and renames it into place.
    /// </summary>
    private static string WeakCopy(string original)
    {
        var bytes = File.ReadAllBytes(original);
        var hash = Convert.ToHexStringLower(SHA256.HashData(bytes))[..16];
        var cache = Environment.GetFolderPath(Environment.SpecialFolder.LocalApplicationData, Environment.SpecialFolderOption.Create);
        var folder = Path.Combine(cache.Length > 0 ? cache : Path.GetTempPath(), "cluster", "native");
        var copy = Path.Combine(folder, $"libLibTorchSharp.{hash}.so");
        if (File.Exists(copy)) { return copy; }

        if (!MarkWeak(bytes, MissingVersion))
        {
            throw new DllNotFoundException(
                $"{original} does not load here, and not for want of {MissingVersion}. Run 'ldd {original}' to see what is missing.");
        }

        Directory.CreateDirectory(folder);
        var temporary = $"{copy}.{Environment.ProcessId}";
        File.WriteAllBytes(temporary, bytes);
        File.Move(temporary, copy, overwrite: true);
        return copy;
    }

    /// <summary>
    /// Sets VER_FLG_WEAK on every entry of the ELF64 section .gnu.version_r (SHT_GNU_verneed) that asks for
    /// <paramref name="version"/>. Elf64_Verneed is a chain of files, each with a chain of Elf64_Vernaux, one a version.
    /// </summary>
    internal static bool MarkWeak(Span<byte> elf, string version)
    {
        const uint gnuVerneed = 0x6ffffffe;
        const byte weak = 2;

        var wanted = Encoding.ASCII.GetBytes(version);
        var sections = checked((int)ReadUInt64LittleEndian(elf[0x28..]));   // e_shoff
        int sectionSize = ReadUInt16LittleEndian(elf[0x3A..]);              // e_shentsize
        int sectionCount = ReadUInt16LittleEndian(elf[0x3C..]);             // e_shnum
        var marked = false;

        for (var i = 0; i < sectionCount; i++)
        {
            var section = elf.Slice(sections + i * sectionSize, sectionSize);
            if (ReadUInt32LittleEndian(section[0x04..]) != gnuVerneed) { continue; }    // sh_type

            var need = checked((int)ReadUInt64LittleEndian(section[0x18..]));           // sh_offset
            var link = ReadInt32LittleEndian(section[0x28..]);                          // sh_link: its string table
            var strings = checked((int)ReadUInt64LittleEndian(elf[(sections + link * sectionSize + 0x18)..]));

            for (var next = -1; next != 0; need += next)
            {
                int versions = ReadUInt16LittleEndian(elf[(need + 2)..]);               // vn_cnt
                var aux = need + ReadInt32LittleEndian(elf[(need + 8)..]);              // vn_aux
                for (var k = 0; k < versions; k++)
                {
                    var name = elf[(strings + ReadInt32LittleEndian(elf[(aux + 8)..]))..]; // vna_name
                    if (name[..name.IndexOf((byte)0)].SequenceEqual(wanted))
                    {
                        elf[aux + 4] |= weak;                                           // vna_flags
                        marked = true;
                    }

                    aux += ReadInt32LittleEndian(elf[(aux + 12)..]);                    // vna_next
                }

                next = ReadInt32LittleEndian(elf[(need + 12)..]);                       // vn_next
            }
        }

        return marked;
    }

    private static ushort ReadUInt16LittleEndian(ReadOnlySpan<byte> at) => BinaryPrimitives.ReadUInt16LittleEndian(at);
    private static uint ReadUInt32LittleEndian(ReadOnlySpan<byte> at) => BinaryPrimitives.ReadUInt32LittleEndian(at);
    private static int ReadInt32LittleEndian(ReadOnlySpan<byte> at) => BinaryPrimitives.ReadInt32LittleEndian(at);
    private static ulong ReadUInt64LittleEndian(ReadOnlySpan<byte> at) => BinaryPrimitives.ReadUInt64LittleEndian(at);

    private static void SetDefault(string name, string value)
    {
        if (Environment.GetEnvironmentVariable(name) is null) { _ = setenv(name, value, 0); }
    }

    private const int M_TRIM_THRESHOLD = -1, M_TOP_PAD = -2, M_MMAP_THRESHOLD = -3;

    [LibraryImport("libc", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int setenv(string name, string value, int overwrite);

    [LibraryImport("libc")]
    private static partial int mallopt(int parameter, int value);
}
