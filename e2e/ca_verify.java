// Which servers Java accepts: `java ca_verify.java TRUSTSTORE PASSWORD NAME=PORT ...`, one line each.
import java.io.FileInputStream;
import java.net.Socket;
import java.security.KeyStore;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManagerFactory;

class CaVerify {
    public static void main(String[] arguments) throws Exception {
        KeyStore roots = KeyStore.getInstance("PKCS12");
        try (FileInputStream file = new FileInputStream(arguments[0])) {
            roots.load(file, arguments[1].toCharArray());
        }
        TrustManagerFactory trust = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
        trust.init(roots);
        SSLContext context = SSLContext.getInstance("TLS");
        context.init(null, trust.getTrustManagers(), null);
        for (int at = 2; at < arguments.length; at++) {
            String[] server = arguments[at].split("=");
            System.out.println(connect(context, server[0], Integer.parseInt(server[1])));
        }
    }

    /** As java.net.http and HttpsURLConnection do: chain and host name are checked. */
    private static String connect(SSLContext context, String name, int port) throws Exception {
        Socket plain = new Socket("127.0.0.1", port);
        try (SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket(plain, name, port, true)) {
            var parameters = socket.getSSLParameters();
            parameters.setEndpointIdentificationAlgorithm("HTTPS");
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            return "accepted";
        } catch (SSLException error) {
            return "refused: " + error.getMessage();
        }
    }
}
